import type { CallOptions } from "../key-space/key-space.js";
import type { WatchItem } from "../model/watch-item.js";

/** Options of `watch`. */
export interface WatchOptions extends CallOptions {
  /**
   * Include everything below the key, but for hidden keys (`_…`).
   *
   * @default false
   */
  readonly recursive?: boolean;
  /**
   * First index of interest, itself included: to go on after a restart, one more than the index up
   * to which changes were handled. Absent: whatever comes after the watch has begun.
   */
  readonly from?: number;
  /**
   * Tell the state first, as a resync, and then every change after it. Not together with `from`.
   *
   * @default false
   */
  readonly initial?: boolean;
  /**
   * Longest time, in milliseconds, between two attempts to prove that no change is missing. It is five
   * seconds at most while the history of etcd can be read as fast as the store moves.
   *
   * @default 60000
   */
  readonly pollInterval?: number;
  /**
   * Items that may wait for a slow consumer. When so many do, nothing more is taken from etcd until
   * half of them were read.
   *
   * @default 10000
   */
  readonly bufferSize?: number;
}

/**
 * Follows a key, for one reader: `for await`. It begins when it is made, ends with its signal or its
 * client (`next()` then rejects with `AbortError`), or quietly by `close()` or by leaving the loop.
 */
export interface Watcher extends AsyncIterableIterator<WatchItem>, AsyncDisposable {
  /**
   * Index up to which everything has been told or is known not to concern the key: a later watch
   * goes on `from` the next one. 0 before anything is known.
   */
  readonly index: number;
  /**
   * Moment in monotonic milliseconds (the client's clock): every change that was committed before it
   * was read, or is contained in a resync that was. `undefined` before that is proven.
   */
  readonly contactAt: number | undefined;
  /** Ends the watch; what was not read is dropped, and a waiting reader sees the end. */
  close(): void;
}
