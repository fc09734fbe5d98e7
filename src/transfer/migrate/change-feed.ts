import { SourceReplacedError } from "../../errors/migration-errors.js";
import type { EtcdResponse } from "../../model/response.js";
import type { WatchItem } from "../../model/watch-item.js";
import type { Watcher } from "../../watch/watcher.js";

/** What is to be done about a key, after all that has happened to it until now. */
export type PendingChange =
  /** It is a file with this value, for ever. */
  | { readonly kind: "put"; readonly key: string; readonly value: string }
  /** It was a file, and is none any more. */
  | { readonly kind: "gone"; readonly key: string }
  /** It is a file with a TTL, of which only a read tells what is left. */
  | { readonly kind: "leased"; readonly key: string }
  /** Anything may have changed at it and below it. */
  | { readonly kind: "tree"; readonly key: string };

/** Keys that may wait: beyond that, watches wait, and are told the state anew if it takes long. */
const CAPACITY = 50_000;

/**
 * What watches tell, ready to be dealt with: of several changes of a file, the last. It stays
 * bounded however fast the source changes.
 */
export class ChangeFeed {
  readonly #watchers: readonly Watcher[];
  /** In the order of the last change of each. */
  #touches = new Map<string, PendingChange>();
  #resynced = 0;
  #failure: unknown;
  #onNews: () => void = () => {};
  #onRoom: () => void = () => {};

  /** `watchers` begin with the state (`initial`), each with that of the key of the same place. */
  constructor(watchers: readonly Watcher[], keys: readonly string[]) {
    this.#watchers = watchers;
    for (const [place, watcher] of watchers.entries()) {
      this.#pump(watcher, keys[place] ?? "/").catch((error: unknown) => {
        this.#failure ??= error;
        this.#onNews();
      });
    }
  }

  /** Keys that wait. */
  get waiting(): number {
    return this.#touches.size;
  }

  /** Index up to which everything has been told. */
  get index(): number {
    return Math.min(...this.#watchers.map(({ index }) => index));
  }

  /** Resolves when all watches stand: what changes from now on will be told. */
  async stands(): Promise<void> {
    while (this.#resynced < this.#watchers.length) {
      this.#touches.clear();
      await this.news();
    }
    this.#touches.clear();
  }

  /** Resolves when something waits. @throws what no watch can repair */
  async news(): Promise<void> {
    if (this.#failure === undefined && this.waiting === 0) {
      await new Promise<void>((resolve) => {
        this.#onNews = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** All that waits, in the order in which it happened. @throws what no watch can repair */
  take(): readonly PendingChange[] {
    if (this.#failure !== undefined) throw this.#failure;
    const taken = [...this.#touches.values()];
    this.#touches = new Map();
    this.#onRoom();
    return taken;
  }

  /** Ends all watches. */
  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  async #pump(watcher: Watcher, top: string): Promise<void> {
    for await (const item of watcher) {
      const touch = pendingChangeBy(item, top);
      this.#touches.delete(touch.key);
      this.#touches.set(touch.key, touch);
      if (item.type === "resync") this.#resynced++;
      this.#onNews();
      if (this.waiting >= CAPACITY) await this.#room();
    }
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#onRoom;
      this.#onRoom = () => {
        before();
        resolve();
      };
    });
  }
}

function pendingChangeBy(item: WatchItem, top: string): PendingChange {
  if (item.type === "change") return pendingChangeOf(item.response);
  if (item.reason === "cluster-changed") throw new SourceReplacedError();
  return { kind: "tree", key: top };
}

function pendingChangeOf({ action, node, prevNode }: EtcdResponse): PendingChange {
  const { key, value = "", expiration } = node;
  const isRemoval = action === "delete" || action === "expire" || action === "compareAndDelete";
  if (node.dir || (isRemoval && prevNode?.dir)) return { kind: "tree", key };
  if (isRemoval) return { kind: "gone", key };
  return expiration === undefined ? { kind: "put", key, value } : { kind: "leased", key };
}
