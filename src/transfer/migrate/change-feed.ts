import { SourceReplacedError } from "../../errors/migration-errors.js";
import type { EtcdResponse } from "../../model/response.js";
import type { WatchItem } from "../../model/watch-item.js";
import type { Watcher } from "../../watch/watcher.js";

/** The work that is left for a key after all its changes so far. */
export type PendingChange =
  /** It is a file with this value and without a TTL. */
  | { readonly kind: "put"; readonly key: string; readonly value: string }
  /** It was a file and was removed. */
  | { readonly kind: "gone"; readonly key: string }
  /** It is a file with a TTL. Its remaining time must be read. */
  | { readonly kind: "leased"; readonly key: string }
  /** The key and everything below it may have changed. */
  | { readonly kind: "tree"; readonly key: string };

/** Number of pending keys above which the watches are paused. After a long pause they resync. */
const MAX_PENDING_KEYS = 50_000;

/**
 * The pending changes of the source, collected from watches: the last one of each key. Memory is
 * bounded, even if the source changes fast.
 */
export class ChangeFeed {
  readonly #watchers: readonly Watcher[];
  /** In the order of the last change of each key. */
  #pending = new Map<string, PendingChange>();
  #openWatchers = 0;
  #failure: unknown;
  #onChange: () => void = () => {};
  #onCapacity: () => void = () => {};

  /** Each watcher must start with the state (`initial`) of the key at the same position. */
  constructor(watchers: readonly Watcher[], keys: readonly string[]) {
    this.#watchers = watchers;
    for (const [place, watcher] of watchers.entries()) {
      this.#pump(watcher, keys[place] ?? "/").catch((error: unknown) => {
        this.#failure ??= error;
        this.#onChange();
      });
    }
  }

  /** Number of keys with pending changes. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** Index up to which all changes were delivered. */
  get index(): number {
    return Math.min(...this.#watchers.map(({ index }) => index));
  }

  /** Resolves when all watches are open. All later changes are delivered. */
  async untilOpen(): Promise<void> {
    while (this.#openWatchers < this.#watchers.length) {
      this.#pending.clear();
      await this.untilChange();
    }
    this.#pending.clear();
  }

  /** Resolves when there are pending changes. @throws the error of a watch that cannot continue */
  async untilChange(): Promise<void> {
    if (this.#failure === undefined && this.waiting === 0) {
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Takes all pending changes, in order. @throws the error of a watch that cannot continue */
  take(): readonly PendingChange[] {
    if (this.#failure !== undefined) throw this.#failure;
    const taken = [...this.#pending.values()];
    this.#pending = new Map();
    this.#onCapacity();
    return taken;
  }

  /** Ends all watches. */
  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  async #pump(watcher: Watcher, top: string): Promise<void> {
    for await (const item of watcher) {
      const change = pendingChangeOfItem(item, top);
      this.#pending.delete(change.key);
      this.#pending.set(change.key, change);
      if (item.type === "resync") this.#openWatchers++;
      this.#onChange();
      if (this.waiting >= MAX_PENDING_KEYS) await this.#untilCapacity();
    }
  }

  #untilCapacity(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#onCapacity;
      this.#onCapacity = () => {
        before();
        resolve();
      };
    });
  }
}

function pendingChangeOfItem(item: WatchItem, top: string): PendingChange {
  if (item.type === "change") return pendingChangeOfEvent(item.response);
  if (item.reason === "cluster-changed") throw new SourceReplacedError();
  return { kind: "tree", key: top };
}

function pendingChangeOfEvent({ action, node, prevNode }: EtcdResponse): PendingChange {
  const { key, value = "", expiration } = node;
  const isRemoval = action === "delete" || action === "expire" || action === "compareAndDelete";
  if (node.dir || (isRemoval && prevNode?.dir)) return { kind: "tree", key };
  if (isRemoval) return { kind: "gone", key };
  return expiration === undefined ? { kind: "put", key, value } : { kind: "leased", key };
}
