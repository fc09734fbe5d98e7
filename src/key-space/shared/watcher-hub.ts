import type { StoreEvent } from "./store-event.js";

/** Receives the events at a path. */
export interface EventReceiver {
  readonly path: string;
  readonly recursive: boolean;
  /** Events with a lower index are not delivered. */
  readonly since: number;
  push(event: StoreEvent): void;
  /** Called after {@link push}, when all events of that index were delivered. */
  reached(index: number): void;
}

/** The live watches, by watched path: the cost of an event depends on the depth of its path. */
export class WatcherHub {
  readonly #byPath = new Map<string, Set<EventReceiver>>();
  #size = 0;

  /** Number of watches. */
  get size(): number {
    return this.#size;
  }

  add(watcher: EventReceiver): void {
    const watchers = this.#byPath.get(watcher.path);
    this.#size++;
    if (watchers === undefined) this.#byPath.set(watcher.path, new Set([watcher]));
    else watchers.add(watcher);
  }

  remove(watcher: EventReceiver): void {
    const watchers = this.#byPath.get(watcher.path);
    if (watchers?.delete(watcher) !== true) return;
    this.#size--;
    if (watchers.size === 0) this.#byPath.delete(watcher.path);
  }

  /** Delivers events of one index to all watchers that they match. */
  notify(events: readonly StoreEvent[]): void {
    const delivered = new Set<EventReceiver>();
    for (const event of events) if (!event.silent) this.#deliverEvent(event, delivered);
    for (const watcher of delivered) watcher.reached(events[0]?.node.modifiedIndex ?? 0);
  }

  #deliverEvent(event: StoreEvent, delivered: Set<EventReceiver>): void {
    const path = event.node.key === "/" ? "" : event.node.key;
    for (const removed of event.removed ?? []) this.#deliverAt(removed, event, delivered);
    this.#deliverAt(path, event, delivered);
    // From the node upwards. A hidden path segment hides the event from all watchers above it.
    for (let end = path.lastIndexOf("/"), hidden = false; end >= 0; ) {
      hidden ||= path[end + 1] === "_";
      if (hidden) return;
      this.#deliverAt(path.slice(0, end), event, delivered, (watcher) => watcher.recursive);
      end = end === 0 ? -1 : path.lastIndexOf("/", end - 1);
    }
  }

  #deliverAt(
    path: string,
    event: StoreEvent,
    delivered: Set<EventReceiver>,
    matches: (watcher: EventReceiver) => boolean = () => true,
  ): void {
    // Copy the set: `push` may remove or add watchers.
    for (const watcher of [...(this.#byPath.get(path) ?? [])]) {
      if (event.node.modifiedIndex < watcher.since || !matches(watcher)) continue;
      watcher.push(event);
      delivered.add(watcher);
    }
  }
}
