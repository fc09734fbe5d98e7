import type { WatchRequest } from "../../../model/key-request.js";
import { concerns } from "../../../watch/concerns.js";
import type { PushedWatch } from "../../watch/pushed-watch.js";
import { WatcherHub } from "../../watch/watcher-hub.js";
import type { IndexEvents } from "./event-ring.js";

/**
 * The watches that wait. What had happened before a watch was opened is history to it, by whose
 * looser rule it is told, even where that is only heard of now.
 */
export class Audience {
  readonly #hub = new WatcherHub();
  readonly #watches = new Set<PushedWatch>();
  /** Those that are still owed history, until something newer is told. */
  readonly #late = new Map<PushedWatch, WatchRequest>();

  get size(): number {
    return this.#watches.size;
  }

  /** @param told index up to which the watch was told everything */
  add(watch: PushedWatch, request: WatchRequest, told: number): void {
    this.#watches.add(watch);
    if (told < watch.etcdIndex && watch.since <= watch.etcdIndex) this.#late.set(watch, request);
    else this.#hub.add(watch);
  }

  /** Whether it was there. */
  remove(watch: PushedWatch): boolean {
    if (!this.#late.delete(watch)) this.#hub.remove(watch);
    return this.#watches.delete(watch);
  }

  /** Tells everybody whom the events of one index concern. */
  tell(told: IndexEvents): void {
    for (const [watch, request] of this.#late) {
      if (told.index <= watch.etcdIndex) tellHistory(watch, request, told);
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
