import type { Cluster } from "../../cluster/cluster.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { EtcdReceipt, EtcdResponse } from "../../model/response.js";
import type { JsonDeserializer } from "../../wire/json.js";
import { decodeKeyReply } from "../../wire/key-reply.js";
import { encodeKeyRequest, encodeWatchRequest } from "../../wire/key-request.js";
import { requireSuccess } from "../../wire/reply.js";
import type { CallOptions, KeySpace, KeyWatch } from "../key-space.js";
import { RemoteWatch } from "./remote-watch.js";

/** The key space of a cluster that serves the v2 API. */
export class RemoteKeySpace implements KeySpace {
  readonly #cluster: Cluster;
  readonly #deserialize: JsonDeserializer;

  constructor(cluster: Cluster, deserialize: JsonDeserializer) {
    this.#cluster = cluster;
    this.#deserialize = deserialize;
  }

  execute(
    request: KeyRequest & { readonly noValueOnSuccess: true },
    options?: CallOptions,
  ): Promise<EtcdReceipt>;
  execute(request: KeyRequest, options?: CallOptions): Promise<EtcdResponse>;
  execute(request: KeyRequest, { signal }: CallOptions = {}): Promise<EtcdReceipt> {
    const http = encodeKeyRequest(request);
    return this.#cluster.send(
      http,
      (reply) => decodeKeyReply(http, reply, request, this.#deserialize),
      signal,
    );
  }

  openWatch(request: WatchRequest, { signal }: CallOptions = {}): Promise<KeyWatch> {
    const http = encodeWatchRequest(request);
    return this.#cluster.open(
      http,
      (reply) => requireSuccess(http, reply, request.key),
      (reply) => new RemoteWatch(http, reply, this.#deserialize),
      signal,
    );
  }

  async close(): Promise<void> {
    this.#cluster.close();
  }
}
