import type { StoreEvent } from "./store-event.js";

/** Somebody who waits for events at a path. */
export interface Watcher {
  readonly path: string;
  readonly recursive: boolean;
  /** Events with a lower index are not wanted. */
  readonly since: number;
  take(event: StoreEvent): void;
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

  /** Tells everybody whom the event concerns, each once. */
  notify(event: StoreEvent): void {
    if (event.silent) return;
    const path = event.node.key === "/" ? "" : event.node.key;
    for (const removed of event.removed ?? []) this.#tell(removed, event, () => true);
    this.#tell(path, event, () => true);
    // From the node upwards; a hidden part of its path hides it from everybody further up.
    for (let end = path.lastIndexOf("/"), hidden = false; end >= 0; ) {
      hidden ||= path[end + 1] === "_";
      if (hidden) return;
      this.#tell(path.slice(0, end), event, (watcher) => watcher.recursive);
      end = end === 0 ? -1 : path.lastIndexOf("/", end - 1);
    }
  }

  #tell(path: string, event: StoreEvent, wants: (watcher: Watcher) => boolean): void {
    // A copy, because whoever takes an event may leave, or come back, meanwhile.
    for (const watcher of [...(this.#byPath.get(path) ?? [])]) {
      if (event.node.modifiedIndex >= watcher.since && wants(watcher)) watcher.take(event);
    }
  }
}
