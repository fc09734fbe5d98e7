import type { EtcdResponse, ResponseOrigin } from "../model/response.js";
import type { CallOptions } from "./call-options.js";

/**
 * Why a subscription delivers state instead of changes.
 *
 * - `initial`: the request wants the state first.
 * - `history-cleared`: the store has discarded changes that were not delivered.
 * - `cluster-changed`: another store responds, and its indexes are not comparable.
 * - `slow-consumer`: the queue was full until the store had discarded the next change.
 */
export type ResyncReason = "initial" | "history-cleared" | "cluster-changed" | "slow-consumer";

/** A request for all changes of a key after a certain point. */
export interface SubscribeRequest {
  readonly key: string;
  /** Include everything below `key`, except hidden keys: those with a further segment that begins with `_`. */
  readonly recursive: boolean;
  /**
   * `"state"`: an `initial` resync, and the changes after it. `"now"`: the changes after `opened`. A number:
   * the first index whose changes are wanted.
   */
  readonly from: "state" | "now" | number;
  /**
   * Cluster of a numeric `from`. If another cluster responds, or `from` is beyond the index of a linearizable
   * read + 1, the first item is a `cluster-changed` resync. Without this ID, a new store that has already
   * passed `from` cannot be recognized.
   */
  readonly clusterId?: string | undefined;
  /** What a resync reads: `key` with everything below it if recursive, `key` with one level, or nothing. */
  readonly state: "full" | "shallow" | "none";
  /** Maximum number of queued changes, at least 1. With more, the subscription stops reading from its source. */
  readonly bufferSize: number;
  /**
   * Maximum lag of `index` and `currentAt` in milliseconds while a majority of the members is reachable and
   * the consumer reads.
   */
  readonly pollInterval: number;
}

/**
 * Changes as a live watch of etcd delivers them: without refreshes, without duplicates, and with the removal
 * of a directory above `key`. Changes of one index are adjacent. Other subscriptions may share the objects:
 * do not modify them.
 */
export interface Changes {
  readonly type: "changes";
  readonly changes: readonly EtcdResponse[];
}

/** The state, instead of changes that are not available. Discard the state known before. */
export interface Resync {
  readonly type: "resync";
  readonly reason: ResyncReason;
  /** A linearizable read; `null` when the key does not exist, or with `state: "none"`. */
  readonly response: EtcdResponse | null;
  /** Index of the read. The state contains every change up to this index. Every later change follows. */
  readonly index: number;
  readonly etcdClusterId: string;
  /** URL of the endpoint that responded. */
  readonly etcdServer: string;
}

/**
 * Every matching change once and in order, or a resync instead. One reader.
 *
 * Failures that time can repair are retried forever. `next` rejects with other errors after the queue is
 * read. When the queue is full (changes of one index may exceed the limit), the subscription detaches from
 * its source. At half, it continues with the first change that was not queued; if that is gone, a
 * `slow-consumer` resync follows. No queued change is dropped or merged, and a slow reader delays no other.
 *
 * `close` and `return` drop the queue and end without an error. When the signal aborts or the key space is
 * closed, `next` rejects with AbortError at once.
 */
export interface Subscription extends AsyncIterableIterator<Changes | Resync, undefined> {
  /** Resolves when every change after `etcdIndex`, or from `from` on, will be delivered. */
  readonly opened: Promise<ResponseOrigin>;
  /**
   * Index up to which the consumer has provably read every change. To resume, subscribe from the next index.
   * Before anything is known, `from - 1`, or 0 without a numeric `from`. Decreases only with a `cluster-changed` resync. Dropped changes were not
   * read.
   */
  readonly index: number;
  /**
   * Monotonic milliseconds: the consumer has read everything that was committed before this time. `undefined`
   * before that is proven.
   */
  readonly currentAt: number | undefined;
  /** Last failure since a member responded; `undefined` if there is none. */
  readonly lastError: Error | undefined;
  /**
   * Resolves when {@link Subscription.index | index} has reached the given one. Requests the proof for
   * that if necessary. Pending calls of `next` resolve before.
   *
   * @throws AbortError when the subscription ends, or on a `cluster-changed` resync
   */
  reached(index: number, options?: CallOptions): Promise<void>;
  /** Ends the subscription without an error. */
  close(): void;
}
