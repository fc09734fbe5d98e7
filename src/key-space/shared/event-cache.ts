import type { StoreEvent } from "./store-event.js";

/** Bounds of what is held for watchers that come late. */
export interface EventCacheLimits {
  /** Events. */
  readonly events: number;
  /**
   * Characters of keys and values, a bound on memory where these are large. The latest events are
   * held even if they alone have more.
   */
  readonly characters: number;
}

/** The events of one index. */
export interface IndexEvents {
  readonly index: number;
  readonly events: readonly StoreEvent[];
}

/** The events of a part of the past. */
export interface Earlier {
  readonly from: number;
  readonly to: number;
  readonly events: readonly IndexEvents[];
}

interface Entry extends IndexEvents {
  readonly characters: number;
}

/**
 * The latest events, in order of their indexes. There need not be one for each index, and there may
 * be several.
 */
export class EventCache {
  readonly #limits: EventCacheLimits;
  #entries: Entry[] = [];
  /** Where the oldest entry is: those before it are dropped, all at once when they are many. */
  #start = 0;
  #events = 0;
  #characters = 0;
  #floor: number;

  /** `floor` is the first index of which all events will be here. */
  constructor(limits: EventCacheLimits, floor: number) {
    this.#limits = limits;
    this.#floor = floor;
  }

  /** Index from which on nothing is missing. */
  get floor(): number {
    return this.#floor;
  }

  /** Events held. */
  get size(): number {
    return this.#events;
  }

  add(added: IndexEvents): void {
    const entry = entryOf(added);
    this.#entries.push(entry);
    this.#events += entry.events.length;
    this.#characters += entry.characters;
    while (this.#isOver) this.#dropOldest();
  }

  get #isOver(): boolean {
    if (this.#events > this.#limits.events) return true;
    return this.#characters > this.#limits.characters && this.#start + 1 < this.#entries.length;
  }

  /** Events that may be added at most before the oldest are dropped. */
  get room(): number {
    const { events, characters } = this.#limits;
    return this.#characters >= characters ? 0 : Math.max(0, events - this.#events);
  }

  /**
   * Puts what was before in front: the events from one index to, but without, another.
   *
   * @returns false when it does not go up to the floor, or is more than is held; then nothing has changed
   */
  prepend({ from, to, events: earlier }: Earlier): boolean {
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

  /** Events of an index and later ones, index by index. */
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
