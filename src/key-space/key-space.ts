import type { KeyRequest, ScanRequest, WatchRequest } from "../model/key-request.js";
import type { AnswerOrigin, EtcdReceipt, EtcdResponse } from "../model/response.js";
import type { BulkLoading } from "./bulk-loading.js";
import type { CallOptions } from "./call-options.js";
import type { DataLocation } from "./data-location.js";

/** Options of a request. */
export interface ExecuteOptions extends CallOptions {
  /**
   * Maximum milliseconds of one attempt on one member, if shorter than the client's own limit.
   * After that the member counts as failed, and the next call goes to another one. Use it for calls
   * that must be retried soon, such as the refresh of a short TTL. Ignored by a key space without
   * members.
   */
  readonly attemptTimeout?: number | undefined;
}

/**
 * etcd's v2 key space: a tree of directories and string values with indexes, TTLs, compare-and-swap
 * and watches, on any backend.
 *
 * The caller has validated the requests. Failures are errors of the error tree; a failed write has
 * changed nothing unless the error says otherwise.
 */
export interface KeySpace {
  execute(
    request: KeyRequest & { readonly noValueOnSuccess: true },
    options?: ExecuteOptions,
  ): Promise<EtcdReceipt>;
  /** Executes one request. */
  execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse>;

  /**
   * Opens one watch. Resolves as soon as it is established, before any event.
   *
   * @throws EventIndexClearedError when the history before `waitIndex` is gone
   */
  openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch>;

  /**
   * Reads the changes of a key from the history of the store, and proves that there were no others.
   * May return only the first change; then it proves only that there is none before it.
   *
   * @throws EventIndexClearedError when the history before `since` is gone
   */
  scan(request: ScanRequest, options?: CallOptions): Promise<Scan>;

  /**
   * Returns where the nodes below a key are stored: two key spaces can lead to the same nodes.
   * Needs the permission to read below the key. Absent: unknown.
   */
  readonly locate?: ((key: string, options?: CallOptions) => Promise<DataLocation>) | undefined;

  /**
   * The keys of the store below a key that v2 requests cannot name and responses do not show, in
   * printable form. Absent: they cannot be listed, or responses show them with U+FFFD.
   */
  readonly unnamedKeys?:
    | ((key: string, options?: CallOptions) => AsyncIterable<string>)
    | undefined;

  /**
   * Faster ways than single requests to fill the key space before it is in use, if there are any.
   */
  readonly loading?: BulkLoading | undefined;

  /** Ends every call and watch, and releases their resources. */
  close(): Promise<void>;
}

/**
 * Result of a scan of history. `etcdIndex` is an index of the store, possibly of one member only.
 */
export interface Scan extends AnswerOrigin {
  /** In order. History is matched more loosely than live events. */
  readonly events: readonly EtcdResponse[];
  /**
   * `events` contains every change from the requested index up to this one. `undefined`: the
   * connection broke, which proves nothing.
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

/**
 * One open watch: its origin (`etcdIndex` is the index at which it started) and its events, for one
 * reader. Without `stream` it ends after one event, or after all events of one index (v3 can have
 * several). A server may end a watch without an event: open it again. Do the same when it ends with
 * `ClusterUnavailableError` because the connection broke.
 */
export interface KeyWatch extends AnswerOrigin, AsyncIterable<EtcdResponse> {
  /**
   * A linearizable read (quorum=true) at the endpoint of the watch. Rejects when the endpoint
   * cannot prove that it is part of its cluster.
   */
  probe(options?: CallOptions): Promise<Probe>;

  /** Ends the watch; a waiting reader sees the end. */
  close(): void;
}
