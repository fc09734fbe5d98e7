import type { ScanRequest, WatchRequest } from "../../../model/key-request.js";
import type { EtcdResponse, ResponseOrigin } from "../../../model/response.js";
import type { CallOptions } from "../../call-options.js";
import type { KeyWatch } from "../../key-space.js";

/** The requests that the watches of a v2 cluster send. */
export interface WatchRequests {
  /** Opens one stream or long poll. @throws EventIndexClearedError */
  openWatch(request: WatchRequest, options: CallOptions): Promise<KeyWatch>;
  /**
   * Reads the changes of a key from the history of the store, and proves that there were no others. May return
   * only the first change; then it proves only that there is none before it.
   *
   * @throws EventIndexClearedError when the history before `since` is gone
   */
  scan(request: ScanRequest, options: CallOptions): Promise<Scan>;
  /**
   * Reads with quorum at one endpoint.
   *
   * @throws ClusterUnavailableError when the endpoint cannot prove that it is part of its cluster
   */
  probe(endpoint: string, request: WatchRequest, options: CallOptions): Promise<Probe>;
}

/** Result of a scan of history. `etcdIndex` is an index of the store, possibly of one member only. */
export interface Scan extends ResponseOrigin {
  /** In order. History is matched more loosely than live events. */
  readonly events: readonly EtcdResponse[];
  /**
   * `events` contains every change from the requested index up to this one. `undefined`: the connection broke,
   * which proves nothing.
   */
  readonly provenIndex: number | undefined;
}

/** Result of a linearizable read. */
export interface Probe {
  readonly etcdClusterId: string;
  /** Index of the store. */
  readonly index: number;
  /** `modifiedIndex` of the watched key, if it was read and is a file. */
  readonly fileIndex?: number | undefined;
}
