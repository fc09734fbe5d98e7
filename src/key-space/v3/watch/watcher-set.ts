import type { WatchRequest } from "../../../model/key-request.js";
import type { IndexEvents } from "../../shared/event-cache.js";
import { matchesWatch } from "../../shared/matches-watch.js";
import type { PushedWatch } from "../../shared/pushed-watch.js";
import { type EventReceiver, WatcherHub } from "../../shared/watcher-hub.js";
import type { SubscribeRequest } from "../../subscription.js";

/** A reader of events that a {@link WatcherSet} can end. */
export interface EventReader extends EventReceiver {
  /** Whether it accepts no more events. */
  readonly ended: boolean;
  /** Ends it without an error: it can be opened again. */
  end(): void;
  fail(error: Error): void;
  abort(reason: unknown): void;
}

/** A reader that wants to know how current it is. */
export interface FeedReader extends EventReader {
  readonly request: Pick<SubscribeRequest, "key" | "recursive" | "pollInterval">;
}

/** The parameters of an opened watch. */
export interface Opening {
  readonly request: WatchRequest;
  /** Index of the store when the watch was opened: older events are history for it. */
  readonly openedAt: number;
  /**
   * Whether the previous watch delivered one event of the index before `since`. If several events
   * of that index match, the others would be missed.
   */
  readonly looksBack: boolean;
}

/** A watch with pending history. */
interface LateWatch {
  readonly watch: PushedWatch;
  readonly opening: Opening;
}

/**
 * The open watches. Events from before a watch was opened are history for it, with its looser
 * matching, even if they arrive here later.
 */
export class WatcherSet {
  readonly #hub = new WatcherHub();
  readonly #watches = new Set<EventReader>();
  /** Watches with pending history, until a newer event is delivered. */
  readonly #late = new Map<EventReader, LateWatch>();

  get size(): number {
    return this.#watches.size;
  }

  /** @param delivered index up to which everything was delivered to the watch */
  add(watch: PushedWatch, opening: Opening, delivered: number): void {
    const { openedAt, looksBack } = opening;
    this.#watches.add(watch);
    const first = looksBack ? watch.since - 1 : watch.since;
    if (delivered < openedAt && first <= openedAt) this.#late.set(watch, { watch, opening });
    else this.#hub.add(watch);
  }

  /** Adds a reader to which everything before was delivered. */
  addCurrent(reader: EventReader): void {
    this.#watches.add(reader);
    this.#hub.add(reader);
  }

  /** @returns whether it was in the set */
  remove(reader: EventReader): boolean {
    if (!this.#late.delete(reader)) this.#hub.remove(reader);
    return this.#watches.delete(reader);
  }

  /** Delivers the events of one index to all watches that they match. */
  deliver(delivered: IndexEvents): void {
    for (const { watch, opening } of this.#late.values()) {
      if (delivered.index > opening.openedAt) {
        this.#late.delete(watch);
        this.#hub.add(watch);
      } else if (opening.looksBack && delivered.index === watch.since - 1) {
        // A next watch from the same index is refused with 401.
        if (eventsFor(opening.request, delivered) > 1) watch.end();
      } else deliverHistory(watch, opening.request, delivered);
    }
    this.#hub.notify(delivered.events);
  }

  [Symbol.iterator](): Iterator<EventReader> {
    return this.#watches.values();
  }
}

/** Number of events of one index that match a watch. */
export function eventsFor(request: WatchRequest, { events }: IndexEvents): number {
  return events.filter((event) => matchesWatch(request, event)).length;
}

/** Delivers past events of one index to a reader. */
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
