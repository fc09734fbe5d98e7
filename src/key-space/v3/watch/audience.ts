import type { WatchRequest } from "../../../model/key-request.js";
import { concerns } from "../../../watch/concerns.js";
import type { IndexEvents } from "../../watch/event-ring.js";
import type { PushedWatch } from "../../watch/pushed-watch.js";
import { WatcherHub } from "../../watch/watcher-hub.js";

/** The part of the past that a watch wants and was not told yet. */
interface Past {
  readonly request: WatchRequest;
  readonly openedAt: number;
}

/**
 * The watches that wait. What had happened before a watch was opened is history to it, by whose
 * looser rule it is told, even where that is only heard of now.
 */
export class Audience {
  readonly #hub = new WatcherHub();
  readonly #watches = new Set<PushedWatch>();
  /** Those that are still owed history, until something newer than that is told. */
  readonly #late = new Map<PushedWatch, Past>();

  get size(): number {
    return this.#watches.size;
  }

  /**
   * @param told index up to which the watch was told everything
   * @param openedAt index of the store when the watch was opened: what is older is history to it
   */
  add(watch: PushedWatch, request: WatchRequest, told: number, openedAt: number): void {
    this.#watches.add(watch);
    if (told < openedAt && watch.since <= openedAt) this.#late.set(watch, { request, openedAt });
    else this.#hub.add(watch);
  }

  /** Whether it was there. */
  remove(watch: PushedWatch): boolean {
    if (!this.#late.delete(watch)) this.#hub.remove(watch);
    return this.#watches.delete(watch);
  }

  /** Tells everybody whom the events of one index concern. */
  tell(told: IndexEvents): void {
    for (const [watch, { request, openedAt }] of this.#late) {
      if (told.index <= openedAt) tellHistory(watch, request, told);
      else {
        this.#late.delete(watch);
        this.#hub.add(watch);
      }
    }
    this.#hub.notify(told.events);
  }

  [Symbol.iterator](): Iterator<PushedWatch> {
    return this.#watches.values();
  }
}

/** Tells a watch what concerns it of the past. */
export function tellHistory(
  watch: PushedWatch,
  request: WatchRequest,
  { index, events }: IndexEvents,
): void {
  for (const event of events) {
    const isWanted = index >= watch.since && !watch.ended;
    if (isWanted && concerns(request, event)) watch.recall(event);
  }
  watch.reached(index);
}
