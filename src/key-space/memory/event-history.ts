import { EventCache } from "../shared/event-cache.js";
import type { StoreEvent } from "../shared/store-event.js";

/** Characters of keys and values that are held: as many as on v3. */
const MAX_CHARACTERS = 32 * 1024 * 1024;

/**
 * The last events of the whole store, in order of their indexes: what a watcher that comes late can
 * still be told.
 */
export class EventHistory {
  readonly #capacity: number;
  readonly #lost: number;
  readonly #ring: EventCache;
  #last = 0;

  /** `lost` is the floor of a history that this one continues. */
  constructor(capacity: number, lost = 0) {
    this.#capacity = capacity;
    this.#lost = lost;
    this.#ring = new EventCache({ events: capacity, characters: MAX_CHARACTERS }, 0);
  }

  add(event: StoreEvent): void {
    this.#last = event.node.modifiedIndex;
    this.#ring.add({ index: this.#last, events: [event] });
  }

  /** Oldest first. */
  [Symbol.iterator](): Generator<StoreEvent, void, undefined> {
    return this.from(0);
  }

  /** Index before which nothing is held: etcd has an event for every index from 1 on. */
  get floor(): number {
    return Math.max(this.#lost, this.#ring.floor, this.#last - this.#capacity + 1);
  }

  /** Events from an index on. */
  *from(index: number): Generator<StoreEvent, void, undefined> {
    for (const { events } of this.#ring.from(index)) yield* events;
  }
}
