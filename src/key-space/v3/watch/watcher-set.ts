import type { WatchRequest } from "../../../model/key-request.js";
import type { IndexEvents } from "../../shared/event-cache.js";
import { matchesWatch } from "../../shared/matches-watch.js";
import type { PushedWatch } from "../../shared/pushed-watch.js";
import { WatcherHub } from "../../shared/watcher-hub.js";

/** How a watch was opened. */
export interface Opening {
  readonly request: WatchRequest;
  /** Index of the store when the watch was opened: what is older is history to it. */
  readonly openedAt: number;
  /**
   * Whether the watch follows one that delivered one event of the index before. If that index has several
   * events that concern it, the others would be missed.
   */
  readonly looksBack: boolean;
}

/**
 * The watches that wait. What had happened before a watch was opened is history to it, by whose
 * looser rule it is told, even where that is only heard of now.
 */
export class WatcherSet {
  readonly #hub = new WatcherHub();
  readonly #watches = new Set<PushedWatch>();
  /** Those that are still owed history, until something newer than that is told. */
  readonly #late = new Map<PushedWatch, Opening>();

  get size(): number {
    return this.#watches.size;
  }

  /** @param told index up to which the watch was told everything */
  add(watch: PushedWatch, opening: Opening, told: number): void {
    const { openedAt, looksBack } = opening;
    this.#watches.add(watch);
    const first = looksBack ? watch.since - 1 : watch.since;
    if (told < openedAt && first <= openedAt) this.#late.set(watch, opening);
    else this.#hub.add(watch);
  }

  /** Whether it was there. */
  remove(watch: PushedWatch): boolean {
    if (!this.#late.delete(watch)) this.#hub.remove(watch);
    return this.#watches.delete(watch);
  }

  /** Tells everybody whom the events of one index concern. */
  deliver(told: IndexEvents): void {
    for (const [watch, opening] of this.#late) {
      if (told.index > opening.openedAt) {
        this.#late.delete(watch);
        this.#hub.add(watch);
      } else if (opening.looksBack && told.index === watch.since - 1) {
        // The next watch from the same index is refused with 401.
        if (eventsFor(opening.request, told) > 1) watch.end();
      } else deliverHistory(watch, opening.request, told);
    }
    this.#hub.notify(told.events);
  }

  [Symbol.iterator](): Iterator<PushedWatch> {
    return this.#watches.values();
  }
}

/** How many of the events of one index concern a watch. */
export function eventsFor(request: WatchRequest, { events }: IndexEvents): number {
  return events.filter((event) => matchesWatch(request, event)).length;
}

/** Tells a watch what concerns it of the past. */
export function deliverHistory(
  watch: PushedWatch,
  request: WatchRequest,
  { index, events }: IndexEvents,
): void {
  for (const event of events) {
    const isWanted = index >= watch.since && !watch.ended;
    if (isWanted && matchesWatch(request, event)) watch.replay(event);
  }
  watch.reached(index);
}
