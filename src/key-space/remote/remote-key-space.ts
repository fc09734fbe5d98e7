import type { Cluster } from "../../cluster/cluster.js";
import { UnauthorizedError } from "../../errors/common-errors.js";
import { EtcdCommonError } from "../../errors/server-error.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { EtcdReceipt, EtcdResponse } from "../../model/response.js";
import type { HttpReply } from "../../wire/http.js";
import type { JsonDeserializer } from "../../wire/json.js";
import { decodeKeyReply } from "../../wire/key-reply.js";
import { encodeKeyRequest, encodeWatchRequest } from "../../wire/key-request.js";
import { requireSuccess } from "../../wire/reply.js";
import type { CallOptions, ExecuteOptions, KeySpace, KeyWatch } from "../key-space.js";
import { RemoteWatch } from "./remote-watch.js";
import { SharedProbe } from "./shared-probe.js";

/** The key space of a cluster that serves the v2 API. */
export class RemoteKeySpace implements KeySpace {
  readonly #cluster: Cluster;
  readonly #deserialize: JsonDeserializer;
  /** By URL of the endpoint. */
  readonly #probes = new Map<string, SharedProbe>();

  constructor(cluster: Cluster, deserialize: JsonDeserializer) {
    this.#cluster = cluster;
    this.#deserialize = deserialize;
  }

  execute(
    request: KeyRequest & { readonly noValueOnSuccess: true },
    options?: ExecuteOptions,
  ): Promise<EtcdReceipt>;
  execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse>;
  execute(
    request: KeyRequest,
    { signal, attemptTimeout: timeout }: ExecuteOptions = {},
  ): Promise<EtcdReceipt> {
    const encoded = encodeKeyRequest(request);
    const http = timeout === undefined ? encoded : { ...encoded, timeout };
    return this.#cluster.send(
      http,
      (reply) => decodeKeyReply(http, reply, request, this.#deserialize),
      signal,
    );
  }

  openWatch(request: WatchRequest, { signal }: CallOptions = {}): Promise<KeyWatch> {
    const http = encodeWatchRequest(request);
    const probe = (url: string, options?: CallOptions): Promise<number> =>
      this.#probe(url, request, options);
    return this.#cluster.open(
      http,
      (reply) => requireSuccess(http, reply, request.key),
      (reply) => new RemoteWatch(http, reply, this.#deserialize, probe),
      signal,
    );
  }

  #probe(url: string, watched: WatchRequest, { signal }: CallOptions = {}): Promise<number> {
    const shared = this.#probes.get(url) ?? new SharedProbe(this.#cluster.clock);
    this.#probes.set(url, shared);
    return shared.ask((either) => this.#readIndex(url, watched, either), signal);
  }

  async #readIndex(url: string, watched: WatchRequest, signal: AbortSignal): Promise<number> {
    const request = { action: "get", key: probedKey(watched), quorum: true } as const;
    const http = encodeKeyRequest(request);
    const read = (reply: HttpReply): number =>
      decodeKeyReply(http, reply, request, this.#deserialize).etcdIndex;
    try {
      return await this.#cluster.sendTo(url, http, read, signal);
    } catch (error) {
      // That there is no such key was agreed on, too.
      if (!(error instanceof EtcdCommonError) || error instanceof UnauthorizedError) throw error;
      return error.index;
    }
  }

  async close(): Promise<void> {
    this.#cluster.close();
  }
}

/**
 * What a probe reads: below a key that is watched with all that is in it, a name that nobody has, so
 * that no directory is listed. Whoever may watch the key may read it.
 */
function probedKey({ key, recursive }: WatchRequest): string {
  return recursive === true ? `${key.replace(/\/$/, "")}/_etcdnet` : key;
}
