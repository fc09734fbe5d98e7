import type { StoreEvent } from "../watch/store-event.js";

/**
 * The last events of the whole store, in order of their indexes: what a watcher that comes late can
 * still be told.
 */
export class EventHistory {
  readonly #capacity: number;
  readonly #lost: number;
  readonly #ring: StoreEvent[] = [];
  /** Where the oldest event is, once the ring is full. */
  #start = 0;

  /** `lost` is the floor of a history that this one continues. */
  constructor(capacity: number, lost = 0) {
    this.#capacity = capacity;
    this.#lost = lost;
  }

  add(event: StoreEvent): void {
    if (this.#ring.length < this.#capacity) {
      this.#ring.push(event);
      return;
    }
    this.#ring[this.#start] = event;
    this.#start = (this.#start + 1) % this.#capacity;
  }

  /** Oldest first. */
  *[Symbol.iterator](): Generator<StoreEvent, void, undefined> {
    yield* this.#ring.slice(this.#start);
    yield* this.#ring.slice(0, this.#start);
  }

  /** Index before which nothing is held: etcd has an event for every index from 1 on. */
  get floor(): number {
    const last = this.#ring.at(this.#start - 1)?.node.modifiedIndex ?? 0;
    return Math.max(this.#lost, last - this.#capacity + 1);
  }

  /** Events from an index on. */
  *from(index: number): Generator<StoreEvent, void, undefined> {
    for (const event of this) if (event.node.modifiedIndex >= index) yield event;
  }
}
