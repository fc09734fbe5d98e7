import type { EtcdResponse, ResponseOrigin } from "../../model/response.js";
import type { Resync, ResyncReason } from "../subscription.js";

/** The changes that a subscription has received so far. */
export interface Coverage {
  /** Every change up to this index was received. */
  readonly index: number;
  /** Monotonic milliseconds: every change committed before was received. `undefined`: nothing is proven. */
  readonly currentAt: number | undefined;
}

/** The source of a subscription's items. Its coverage is what it has put into the {@link FeedSink}. */
export interface Feed extends Coverage {
  /** Last failure since a member responded, if the feed itself retries. */
  readonly lastError?: Error | undefined;
  /**
   * Puts items into the sink until the source ends. Continues where it ended before, or begins with a resync if
   * a reason is given.
   *
   * @throws QueueFullError, OtherStoreError, EventIndexClearedError, and errors that end the subscription unless
   *   time can repair them
   */
  follow(reason: ResyncReason | undefined, signal: AbortSignal): Promise<void>;
  /**
   * Ensures that the coverage reaches an index soon, and calls {@link FeedSink.onProgress} then. The returned
   * function ends that, and must be called.
   */
  requestProof(index: number): () => void;
}

/** Receives the items of a {@link Feed}. */
export interface FeedSink {
  /** Whether no more changes can be queued, except those of the last index. */
  readonly isFull: boolean;
  /** Records that the source has begun to deliver. */
  onOpen(origin: ResponseOrigin): void;
  /** Queues changes of one index. `before`: the coverage without them. */
  putChanges(changes: readonly EtcdResponse[], before: Coverage): void;
  putResync(resync: Resync, before: Coverage): void;
  /** Records that the coverage has advanced. */
  onProgress(): void;
}

/** The queue is full. The feed continues with the change that was not queued. */
export class QueueFullError extends Error {}

/** Another store responds, or an earlier state of the store: known indexes are no longer valid. */
export class OtherStoreError extends Error {}
