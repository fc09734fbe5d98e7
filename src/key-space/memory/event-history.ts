import { EventCache } from "../shared/event-cache.js";
import type { StoreEvent } from "../shared/store-event.js";

/** Maximum number of characters of keys and values; the same as on v3. */
const MAX_CHARACTERS = 32 * 1024 * 1024;

/** The last events of the store, in order of their indexes, for watches that start in the past. */
export class EventHistory {
  readonly #capacity: number;
  readonly #lost: number;
  readonly #cache: EventCache;
  #last = 0;

  /** `lost`: the floor of the history that this one continues. */
  constructor(capacity: number, lost = 0) {
    this.#capacity = capacity;
    this.#lost = lost;
    this.#cache = new EventCache({ events: capacity, characters: MAX_CHARACTERS }, 0);
  }

  add(event: StoreEvent): void {
    this.#last = event.node.modifiedIndex;
    this.#cache.add({ index: this.#last, events: [event] });
  }

  /** Oldest first. */
  [Symbol.iterator](): Generator<StoreEvent, void, undefined> {
    return this.from(0);
  }

  /** First index whose event may be kept: etcd has an event for every index from 1 on. */
  get floor(): number {
    return Math.max(this.#lost, this.#cache.floor, this.#last - this.#capacity + 1);
  }

  /** Events at this index and later. */
  *from(index: number): Generator<StoreEvent, void, undefined> {
    for (const { events } of this.#cache.from(index)) yield* events;
  }
}
