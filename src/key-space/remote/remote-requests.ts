import type { Cluster } from "../../cluster/cluster.js";
import type { KeyRequest, ScanRequest, WatchRequest } from "../../model/key-request.js";
import type { EtcdReceipt, EtcdResponse } from "../../model/response.js";
import { Limiter } from "../../time/limiter.js";
import type { HttpRequest, HttpResponse } from "../../wire/http.js";
import { requireSuccess } from "../../wire/http-response.js";
import type { JsonDeserializer } from "../../wire/json.js";
import { encodeKeyRequest, encodeScanRequest, encodeWatchRequest } from "../../wire/key-request.js";
import { decodeKeyResponse } from "../../wire/key-response.js";
import type { CallOptions } from "../call-options.js";
import type { ExecuteOptions, KeyWatch } from "../key-space.js";
import { isMissingNode, unusedKey } from "../shared/read-state.js";
import { RemoteScan } from "./remote-scan.js";
import { RemoteWatch } from "./remote-watch.js";
import type { Probe, Scan, WatchRequests } from "./watch/watch-requests.js";

/**
 * At most 64 watches are opened at the same time. Each needs a connection: thousands at once, such as after a restart
 * of etcd, would keep a busy machine from opening any of them in time. A proxy that buffers holds back the response
 * until there is an event, so the next one starts after half a second in any case.
 */
const OPENINGS = { places: 64, hold: 500 };

/** Headers that a request has instead of, or in addition to, those of the client. */
type Headers = Pick<HttpRequest, "authorization" | "headers">;

/** The requests for keys, watches, scans and probes of a cluster that serves the v2 API. */
export class RemoteRequests implements WatchRequests {
  readonly #cluster: Cluster;
  readonly #deserialize: JsonDeserializer;
  readonly #openings: Limiter;

  constructor(cluster: Cluster, deserialize: JsonDeserializer) {
    this.#cluster = cluster;
    this.#deserialize = deserialize;
    this.#openings = new Limiter({ ...OPENINGS, clock: cluster.clock });
  }

  execute(
    request: KeyRequest & { readonly noValueOnSuccess: true },
    options: ExecuteOptions & Headers,
  ): Promise<EtcdReceipt>;
  execute(request: KeyRequest, options: ExecuteOptions & Headers): Promise<EtcdResponse>;
  execute(
    request: KeyRequest,
    { signal, attemptTimeout: timeout, authorization, headers }: ExecuteOptions & Headers,
  ): Promise<EtcdReceipt> {
    const encoded = encodeKeyRequest(request);
    const isPlain = timeout === undefined && headers === undefined;
    const http = isPlain ? encoded : { ...encoded, timeout, authorization, headers };
    return this.#cluster.send(
      http,
      (response) => decodeKeyResponse(http, response, request, this.#deserialize),
      signal,
    );
  }

  openWatch(
    request: WatchRequest,
    { signal, authorization, headers }: CallOptions & Headers,
  ): Promise<KeyWatch> {
    const http = { ...encodeWatchRequest(request), authorization, headers };
    const open = () =>
      this.#cluster.open(
        http,
        (response) => requireSuccess(http, response, request.key),
        (response) => new RemoteWatch(http, response, this.#deserialize, request.waitIndex ?? 0),
        signal,
      );
    return this.#openings.run(open, signal);
  }

  async scan(request: ScanRequest, { signal }: CallOptions): Promise<Scan> {
    const http = encodeScanRequest(request);
    const scan = await this.#cluster.open(
      http,
      (response) => requireSuccess(http, response, request.key),
      (response) => new RemoteScan(http, response, this.#deserialize),
      signal,
    );
    return await scan.read(this.#cluster.clock);
  }

  async probe(
    endpoint: string,
    { key, recursive = false }: WatchRequest,
    { signal }: CallOptions,
  ): Promise<Probe> {
    const request = {
      action: "get",
      key: recursive ? unusedKey(key) : key,
      quorum: true,
    } as const;
    const http = encodeKeyRequest(request);
    const read = (response: HttpResponse): Probe => {
      const decoded = decodeKeyResponse(http, response, request, this.#deserialize) as EtcdResponse;
      const { etcdClusterId, etcdIndex: index, node } = decoded;
      const isFile = !recursive && node.dir !== true;
      return { etcdClusterId, index, ...(isFile && { fileIndex: node.modifiedIndex }) };
    };
    try {
      return await this.#cluster.sendTo(endpoint, http, read, signal);
    } catch (error) {
      if (!isMissingNode(error)) throw error;
      return { etcdClusterId: error.clusterId ?? "", index: error.index };
    }
  }
}
