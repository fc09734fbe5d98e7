import type { WatchItem } from "../model/watch-item.js";
import { AsyncQueue } from "../stream/async-queue.js";

/** The bounded queue of items between a watch and its consumer. */
export class ItemBuffer {
  readonly #capacity: number;
  readonly #items = new AsyncQueue<WatchItem>();
  #onRoom: () => void = () => {};
  #lastDelivered = 0;
  /** How current the consumer was when the queue stopped being empty. */
  #currentBefore: number | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get isFull(): boolean {
    return this.#items.size >= this.#capacity;
  }

  /**
   * Index up to which the consumer received everything, if everything before `index` was queued.
   */
  deliveredIndex(index: number): number {
    const { first } = this.#items;
    if (first === undefined) return Math.max(index, 0);
    return first.type === "change" ? first.response.node.modifiedIndex - 1 : this.#lastDelivered;
  }

  /** `currentAt`: how current the watch is without the item. */
  put(item: WatchItem, currentAt: number | undefined): void {
    const wasEmpty = this.#items.size === 0;
    this.#items.put(item);
    if (wasEmpty) this.#currentBefore = currentAt;
  }

  /** How current the consumer is, if the watch is current up to `currentAt`. */
  consumerCurrentAt(currentAt: number | undefined): number | undefined {
    return this.#items.size === 0 ? currentAt : this.#currentBefore;
  }

  async next(): Promise<IteratorResult<WatchItem, undefined>> {
    const result = await this.#items.next();
    if (result.done !== true) this.#lastDelivered = indexOf(result.value);
    if (this.#items.size <= this.#capacity / 2) this.#onRoom();
    return result;
  }

  /** Resolves when at most half of the buffer is in use. */
  waitForRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  /** Ends the queue and drops its items. */
  end(failure?: Error): void {
    this.#items.discard(failure);
    this.#onRoom();
  }

  /** Fails after the queued items were read. */
  fail(failure: Error): void {
    this.#items.end(failure);
  }
}

function indexOf(item: WatchItem): number {
  return item.type === "change" ? item.response.node.modifiedIndex : item.index;
}
