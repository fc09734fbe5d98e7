import type { WatchItem } from "../model/watch-item.js";
import { AsyncQueue } from "../stream/inbox.js";

/** The items between a watch and its consumer: so many, and no more. */
export class ItemBuffer {
  readonly #capacity: number;
  readonly #items = new AsyncQueue<WatchItem>();
  #onRoom: () => void = () => {};
  #told = 0;
  /** How current the consumer was when items began to wait. */
  #currentBefore: number | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get isFull(): boolean {
    return this.#items.size >= this.#capacity;
  }

  /** Index up to which the consumer was told everything, if everything before `index` is here. */
  toldOf(index: number): number {
    const { first } = this.#items;
    if (first === undefined) return Math.max(index, 0);
    return first.type === "change" ? first.response.node.modifiedIndex - 1 : this.#told;
  }

  /** `currentAt`: how current the watch is without the item. */
  put(item: WatchItem, currentAt: number | undefined): void {
    const wasEmpty = this.#items.size === 0;
    this.#items.put(item);
    if (wasEmpty) this.#currentBefore = currentAt;
  }

  /** How current the consumer is, if the watch is as current as `currentAt`. */
  currentOf(currentAt: number | undefined): number | undefined {
    return this.#items.size === 0 ? currentAt : this.#currentBefore;
  }

  async next(): Promise<IteratorResult<WatchItem, undefined>> {
    const result = await this.#items.next();
    if (result.done !== true) this.#told = indexOf(result.value);
    if (this.#items.size <= this.#capacity / 2) this.#onRoom();
    return result;
  }

  /** Resolves when half of the items were read. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  /** Drops what was not read. */
  end(failure?: Error): void {
    this.#items.discard(failure);
    this.#onRoom();
  }

  /** Nothing follows but this failure. */
  fail(failure: Error): void {
    this.#items.end(failure);
  }
}

function indexOf(item: WatchItem): number {
  return item.type === "change" ? item.response.node.modifiedIndex : item.index;
}
