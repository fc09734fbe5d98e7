import type { StoreEvent } from "./store-event.js";

/** Somebody who waits for events at a path. */
export interface Watcher {
  readonly path: string;
  readonly recursive: boolean;
  /** Events with a lower index are not wanted. */
  readonly since: number;
  push(event: StoreEvent): void;
  /** Called after {@link push}, when all events of that index were told. */
  reached(index: number): void;
}

/** The live watchers, by the path that they watch: an event costs what its own path is long. */
export class WatcherHub {
  readonly #byPath = new Map<string, Set<Watcher>>();

  add(watcher: Watcher): void {
    const watchers = this.#byPath.get(watcher.path);
    if (watchers === undefined) this.#byPath.set(watcher.path, new Set([watcher]));
    else watchers.add(watcher);
  }

  remove(watcher: Watcher): void {
    const watchers = this.#byPath.get(watcher.path);
    if (watchers?.delete(watcher) && watchers.size === 0) this.#byPath.delete(watcher.path);
  }

  /** Tells everybody whom the events concern, each of them once. All are of one index. */
  notify(events: readonly StoreEvent[]): void {
    const told = new Set<Watcher>();
    for (const event of events) if (!event.silent) this.#tellOf(event, told);
    for (const watcher of told) watcher.reached(events[0]?.node.modifiedIndex ?? 0);
  }

  #tellOf(event: StoreEvent, told: Set<Watcher>): void {
    const path = event.node.key === "/" ? "" : event.node.key;
    for (const removed of event.removed ?? []) this.#tell(removed, event, told);
    this.#tell(path, event, told);
    // From the node upwards; a hidden part of its path hides it from everybody further up.
    for (let end = path.lastIndexOf("/"), hidden = false; end >= 0; ) {
      hidden ||= path[end + 1] === "_";
      if (hidden) return;
      this.#tell(path.slice(0, end), event, told, (watcher) => watcher.recursive);
      end = end === 0 ? -1 : path.lastIndexOf("/", end - 1);
    }
  }

  #tell(
    path: string,
    event: StoreEvent,
    told: Set<Watcher>,
    wants: (watcher: Watcher) => boolean = () => true,
  ): void {
    // A copy, because whoever takes an event may leave, or come back, meanwhile.
    for (const watcher of [...(this.#byPath.get(path) ?? [])]) {
      if (event.node.modifiedIndex < watcher.since || !wants(watcher)) continue;
      watcher.push(event);
      told.add(watcher);
    }
  }
}
