import { AsyncQueue } from "../../stream/async-queue.js";
import type { Changes, Resync } from "../subscription.js";
import type { Coverage } from "./feed.js";

interface Entry {
  readonly item: Changes | Resync;
  /** The coverage without this item. */
  readonly before: Coverage;
}

/** The items that a consumer has not read yet. */
export class SubscriptionQueue {
  readonly #capacity: number;
  readonly #entries = new AsyncQueue<Entry>();
  #size = 0;
  #onRoom: () => void = () => {};

  /** `capacity`: number of changes, at least 1. */
  constructor(capacity: number) {
    // A queue that never has room would be filled again and again.
    this.#capacity = Math.max(1, capacity);
  }

  get isFull(): boolean {
    return this.#size >= this.#capacity;
  }

  put(item: Changes | Resync, before: Coverage): void {
    this.#size += sizeOf(item);
    this.#entries.put({ item, before });
  }

  /** The coverage of what the consumer has read, if `queued` is the coverage of what was queued. */
  readCoverage(queued: Coverage): Coverage {
    return this.#entries.first?.before ?? queued;
  }

  async next(): Promise<IteratorResult<Changes | Resync, undefined>> {
    const next = await this.#entries.next();
    if (next.done === true) return next;
    const { item } = next.value;
    this.#size -= sizeOf(item);
    if (this.#size <= this.#capacity / 2) this.#onRoom();
    return { done: false, value: item };
  }

  /** Resolves when at most half of the queue is in use. */
  untilRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve;
      if (this.#size <= this.#capacity / 2) resolve();
    });
  }

  /** Ends the queue and drops its items. */
  discard(failure?: Error): void {
    this.#entries.discard(failure);
    this.#onRoom();
  }

  /** Fails after the queued items were read. */
  fail(failure: Error): void {
    this.#entries.end(failure);
  }
}

function sizeOf(item: Changes | Resync): number {
  return item.type === "changes" ? item.changes.length : 1;
}
