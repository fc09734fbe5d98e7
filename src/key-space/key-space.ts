import type { KeyRequest, WatchRequest } from "../model/key-request.js";
import type { EtcdReceipt, EtcdResponse, ResponseOrigin } from "../model/response.js";
import type { BulkLoading } from "./bulk-loading.js";
import type { CallOptions } from "./call-options.js";
import type { DataLocation } from "./data-location.js";
import type { PastReads } from "./past.js";
import type { SubscribeRequest, Subscription } from "./subscription.js";

/** Options of a request. */
export interface ExecuteOptions extends CallOptions {
  /**
   * Maximum milliseconds of one attempt on one member, if shorter than the client's own limit.
   * After that the member counts as failed, and the next call goes to another one. Use it for calls
   * that must be retried soon, such as the refresh of a short TTL. Ignored by a key space without
   * members.
   */
  readonly attemptTimeout?: number | undefined;
  /**
   * Identifies a write, which then is carried out at most once, however often it is sent with this
   * key. Only where {@link KeySpace.acceptsIdempotencyKeys} is true.
   */
  readonly idempotencyKey?: string | undefined;
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
   * Subscribes to the changes of a key. Begins at once. Never throws: errors are delivered by the
   * subscription.
   */
  subscribe(request: SubscribeRequest, options?: CallOptions): Subscription;

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

  /** Whether writes can have an `idempotencyKey`. @default false */
  readonly acceptsIdempotencyKeys?: boolean | undefined;

  /** Reads of the past. Absent: the store holds nothing of it. */
  readonly past?: PastReads | undefined;

  /**
   * Faster ways than single requests to fill the key space before it is in use, if there are any.
   */
  readonly loading?: BulkLoading | undefined;

  /** Ends every call and watch, and releases their resources. */
  close(): Promise<void>;
}

/**
 * One open watch: its origin (`etcdIndex` is the index at which it started) and its events, for one
 * reader. Without `stream` it ends after one event, or after all events of one index (v3 can have
 * several). A server may end a watch without an event: open it again. Do the same when it ends with
 * `ClusterUnavailableError` because the connection broke.
 */
export interface KeyWatch extends ResponseOrigin, AsyncIterable<EtcdResponse> {
  /** If the watch ends without an event, no event up to this index was missed. */
  readonly provenIndex: number;

  /** Ends the watch; a waiting reader sees the end. */
  close(): void;
}
