import type { KeyRequest, ScanRequest, WatchRequest } from "../model/key-request.js";
import type { AnswerOrigin, EtcdReceipt, EtcdResponse } from "../model/response.js";
import type { BulkLoading } from "./bulk-loading.js";
import type { DataLocation } from "./data-location.js";

/** How a call can be given up. */
export interface CallOptions {
  /** Gives the call up; a write that was already sent may still take effect. */
  readonly signal?: AbortSignal | undefined;
}

/** How a request can be bounded. */
export interface ExecuteOptions extends CallOptions {
  /**
   * Milliseconds for one attempt at one member, where that is less than the client's own limit: the
   * member counts as failed then, and the next call goes to another. For what must be tried again
   * soon, such as the refresh of a short TTL. A key space without members to choose from ignores it.
   */
  readonly attemptTimeout?: number | undefined;
}

/**
 * etcd's v2 key space: a tree of directories and string values with indexes, TTLs,
 * compare-and-swap and watches, wherever it is kept.
 *
 * Requests are taken as they are: whoever builds them has validated them. Failures are the
 * errors of the error tree; a failed write has changed nothing unless the error says otherwise.
 */
export interface KeySpace {
  execute(
    request: KeyRequest & { readonly noValueOnSuccess: true },
    options?: ExecuteOptions,
  ): Promise<EtcdReceipt>;
  /** Carries one request out and answers it. */
  execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse>;

  /**
   * Opens one watch. Resolves as soon as it stands, before any event.
   *
   * @throws EventIndexClearedError when the history before `waitIndex` is gone
   */
  openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch>;

  /**
   * Reads changes of a key from the history of the store, and proves that there were no others. It
   * may give just the first one, and then proves no more than the indexes before that.
   *
   * @throws EventIndexClearedError when the history before `since` is gone
   */
  scan(request: ScanRequest, options?: CallOptions): Promise<Scan>;

  /**
   * Tells where the nodes below a key are kept: two key spaces may be ways to the same nodes. The
   * caller needs the permission to read below the key. Absent: not known.
   */
  readonly locate?: ((key: string, options?: CallOptions) => Promise<DataLocation>) | undefined;

  /**
   * The keys of the store below a key that requests cannot name and that no answer shows, in a form
   * that can be printed. Absent: they cannot be found out, or answers show them with U+FFFD.
   */
  readonly unnamedKeys?:
    | ((key: string, options?: CallOptions) => AsyncIterable<string>)
    | undefined;

  /** For moving data into it before it is in use, where there are quicker ways than requests. */
  readonly loading?: BulkLoading | undefined;

  /** Ends every call and watch, and frees what they hold. */
  close(): Promise<void>;
}

/** What a scan of the history has shown. `etcdIndex` is an index of the store, perhaps of one member. */
export interface Scan extends AnswerOrigin {
  /** In order. History is matched more loosely than live events. */
  readonly events: readonly EtcdResponse[];
  /**
   * `events` holds every change from the index asked for up to this one. `undefined`: the connection
   * broke, which proves nothing.
   */
  readonly provenIndex: number | undefined;
}

/** What a linearizable read has shown. */
export interface Probe {
  readonly etcdClusterId: string;
  /** Index of the store. */
  readonly index: number;
  /** `modifiedIndex` of the watched key, if it was read and is a file. */
  readonly fileIndex?: number | undefined;
}

/**
 * One open watch: its origin (`etcdIndex` is the index at which it began) and its events, for one
 * reader. Without `stream` it yields one event, or all of one index (on v3 there can be several), and ends. A server may end a watch without any, and
 * the reader then watches again; it does the same when a broken connection ended the watch with
 * `ClusterUnavailableError`.
 */
export interface KeyWatch extends AnswerOrigin, AsyncIterable<EtcdResponse> {
  /**
   * A linearizable read at the endpoint that holds the watch (quorum=true). Rejects when that cannot
   * prove to be part of its cluster.
   */
  probe(options?: CallOptions): Promise<Probe>;

  /** Ends the watch; a waiting reader sees the end. */
  close(): void;
}
