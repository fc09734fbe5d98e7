import type { StoreEvent } from "./store-event.js";

/** Limits of the events that are kept for watches that start in the past. */
export interface EventCacheLimits {
  /** Events. */
  readonly events: number;
  /**
   * Characters of keys and values, which bounds the memory. The latest events are kept even if they
   * alone exceed it.
   */
  readonly characters: number;
}

/** The events of one index. */
export interface IndexEvents {
  readonly index: number;
  readonly events: readonly StoreEvent[];
}

/** The events of an index range in the past. */
export interface PastEvents {
  readonly from: number;
  readonly to: number;
  readonly events: readonly IndexEvents[];
}

interface Entry extends IndexEvents {
  readonly characters: number;
}

/** The latest events, in order of their indexes. An index can have none or several. */
export class EventCache {
  readonly #limits: EventCacheLimits;
  #entries: Entry[] = [];
  /**
   * Position of the oldest entry. Dropped entries before it are removed together when they are
   * many.
   */
  #start = 0;
  #events = 0;
  #characters = 0;
  #floor: number;

  /** `floor`: first index whose events will be complete. */
  constructor(limits: EventCacheLimits, floor: number) {
    this.#limits = limits;
    this.#floor = floor;
  }

  /** First index from which no event is missing. */
  get floor(): number {
    return this.#floor;
  }

  /** Number of events. */
  get size(): number {
    return this.#events;
  }

  add(added: IndexEvents): void {
    const entry = entryOf(added);
    this.#entries.push(entry);
    this.#events += entry.events.length;
    this.#characters += entry.characters;
    while (this.#exceedsLimits) this.#dropOldest();
  }

  get #exceedsLimits(): boolean {
    if (this.#events > this.#limits.events) return true;
    return this.#characters > this.#limits.characters && this.#start + 1 < this.#entries.length;
  }

  /** Number of events that can be added without dropping old ones. */
  get room(): number {
    const { events, characters } = this.#limits;
    return this.#characters >= characters ? 0 : Math.max(0, events - this.#events);
  }

  /**
   * Prepends the events from index `from` to `to`, exclusive.
   *
   * @returns `false`, without a change, when `to` is not the floor or the limits are exceeded
   */
  prepend({ from, to, events: earlier }: PastEvents): boolean {
    if (to !== this.#floor) return false;
    const entries = earlier.filter(({ events }) => events.length > 0).map(entryOf);
    const events = entries.reduce((sum, entry) => sum + entry.events.length, this.#events);
    const characters = entries.reduce((sum, entry) => sum + entry.characters, this.#characters);
    if (events > this.#limits.events || characters > this.#limits.characters) return false;
    this.#entries = [...entries, ...this.#entries.slice(this.#start)];
    this.#start = 0;
    this.#events = events;
    this.#characters = characters;
    this.#floor = from;
    return true;
  }

  /** Events at this index and later, by index. */
  from(index: number): readonly IndexEvents[] {
    return this.#entries.slice(this.#find(index));
  }

  /** Position of the first entry with this index or a later one. */
  #find(index: number): number {
    let [low, high] = [this.#start, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.index ?? 0) < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #dropOldest(): void {
    const oldest = this.#entries[this.#start++];
    if (oldest === undefined) return;
    this.#events -= oldest.events.length;
    this.#characters -= oldest.characters;
    this.#floor = oldest.index + 1;
    if (this.#start * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#start);
    this.#start = 0;
  }
}

function entryOf({ index, events }: IndexEvents): Entry {
  const characters = events.reduce((sum, event) => sum + lengthOf(event), 0);
  return { index, events, characters };
}

function lengthOf({ node, prevNode, removed = [] }: StoreEvent): number {
  const paths = removed.reduce((sum, path) => sum + path.length, 0);
  const values = (node.value?.length ?? 0) + (prevNode?.value?.length ?? 0);
  return node.key.length + values + paths;
}
