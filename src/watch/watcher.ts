import type { CallOptions } from "../key-space/call-options.js";
import type { WatchItem } from "../model/watch-item.js";

/** Options of `watch`. */
export interface WatchOptions extends CallOptions {
  /**
   * Include everything below the key, except hidden keys (`_…`).
   *
   * @default false
   */
  readonly recursive?: boolean | undefined;
  /**
   * Index of the first change to return. To resume after a restart, pass the last handled index
   * plus one. Default: changes after the watch is established.
   */
  readonly from?: number | undefined;
  /**
   * `etcdClusterId` of the response that `from` comes from. If another cluster responds, the watch
   * begins with a `cluster-changed` resync. Without it, a cluster that replaced the former one and has
   * already passed `from` is not detected. Only with `from`.
   */
  readonly clusterId?: string | undefined;
  /**
   * Return the current state first, as a resync, and then every change after it. Cannot be combined
   * with `from`.
   *
   * @default false
   */
  readonly initial?: boolean | undefined;
  /**
   * Maximum time, in milliseconds, between two attempts to prove that no change is missing. At most
   * five seconds while etcd's history can be read as fast as the store changes.
   *
   * @default 60000
   */
  readonly pollInterval?: number | undefined;
  /**
   * Maximum number of items that are queued for a slow consumer. When the queue is full, nothing
   * more is read from etcd until half of the items are consumed.
   *
   * @default 10000
   */
  readonly bufferSize?: number | undefined;
}

/**
 * Watches a key for one reader (`for await`). The watch starts when it is created. It ends with its
 * signal or its client (`next()` then rejects with `AbortError`), or without an error through
 * `close()` or by leaving the loop.
 */
export interface Watcher extends AsyncIterableIterator<WatchItem>, AsyncDisposable {
  /**
   * Index up to which every change was returned. To resume, start a later watch `from` the next
   * index. Before anything is known, `from - 1`, or 0 without `from`.
   */
  readonly index: number;
  /**
   * Monotonic time in milliseconds (the client's clock). The consumer has read every change that
   * was committed before this time, as an event or as part of a resync. `undefined` before this is
   * proven.
   */
  readonly currentAt: number | undefined;
  /**
   * Resolves when {@link Watcher.index | index} has reached the given one. Requests the proof for that
   * if necessary.
   *
   * @throws AbortError when the watch ends, or on a `cluster-changed` resync
   */
  reached(index: number, options?: CallOptions): Promise<void>;
  /** The last failure, with its endpoint, until a member responds again. */
  readonly lastError: Error | undefined;
  /** Ends the watch. Unread items are dropped, and a waiting reader sees the end. */
  close(): void;
}
