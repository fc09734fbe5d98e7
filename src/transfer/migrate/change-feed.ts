import { SourceReplacedError } from "../../errors/migration-errors.js";
import type { Changes, Resync, Subscription } from "../../key-space/subscription.js";
import { isRemoval } from "../../model/actions.js";
import type { EtcdResponse } from "../../model/response.js";

/** The work that is left for a key after all its changes so far, and the index of the last one; 0: unknown. */
export type PendingChange = { readonly index: number } & Work;

type Work =
  /** It is a file with this value and without a TTL. */
  | { readonly kind: "put"; readonly key: string; readonly value: string }
  /** It was a file and was removed. */
  | { readonly kind: "gone"; readonly key: string }
  /** It is a file with a TTL, in seconds when it was written. Its remaining time must be read. */
  | { readonly kind: "leased"; readonly key: string; readonly value: string; readonly ttl: number }
  /** The key and everything below it may have changed. */
  | {
      readonly kind: "tree";
      readonly key: string;
      readonly directory: DirectoryChange | undefined;
    };

/** What happened to a directory itself. */
type DirectoryChange =
  | { readonly isRemoved: true }
  | { readonly isRemoved: false; readonly ttl: number | undefined };

/** Number of pending keys above which the watches are paused. After a long pause they resync. */
const MAX_PENDING_KEYS = 50_000;

/**
 * The pending changes of the source, collected from watches: the last one of each key. Memory is
 * bounded, even if the source changes fast.
 */
export class ChangeFeed {
  readonly #subscriptions: readonly Subscription[];
  /** In the order of the last change of each place. */
  #pending = new Map<string, PendingChange>();
  #opened = 0;
  #failure: unknown;
  #onChange: () => void = () => {};
  #onCapacity: () => void = () => {};
  /** Pending while changes wait until it is known which of them count. */
  #cut: Promise<void> | undefined;
  /** Index of the last change that counts. */
  #end = Number.POSITIVE_INFINITY;

  /** Each subscription must start with the state of the key at the same position. */
  constructor(subscriptions: readonly Subscription[], keys: readonly string[]) {
    this.#subscriptions = subscriptions;
    for (const [place, subscription] of subscriptions.entries()) {
      this.#pump(subscription, keys[place] ?? "/").catch((error: unknown) => {
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
    return Math.min(...this.#subscriptions.map(({ index }) => index));
  }

  /** Takes no change from now on, until the returned function says which is the last one that counts. */
  hold(): (end: number) => void {
    let cut: () => void = () => {};
    this.#cut = new Promise((resolve) => {
      cut = resolve;
    });
    return (end) => {
      this.#end = end;
      this.#cut = undefined;
      cut();
    };
  }

  /** Resolves when all changes up to an index were delivered. Take them meanwhile: too many stop the delivery. */
  async reached(index: number, signal: AbortSignal): Promise<void> {
    const reached = this.#subscriptions.map((each) => each.reached(index, { signal }));
    await Promise.all(reached);
  }

  /** Resolves when all subscriptions are open. All later changes are delivered. */
  async untilOpen(): Promise<void> {
    while (this.#opened < this.#subscriptions.length) {
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

  /** Ends all subscriptions. */
  close(): void {
    for (const subscription of this.#subscriptions) subscription.close();
  }

  async #pump(subscription: Subscription, top: string): Promise<void> {
    for await (const item of subscription) {
      if (this.#cut !== undefined) await this.#cut;
      if (item.type === "changes" && indexOf(item) > this.#end) continue;
      for (const change of pendingChangesOf(item, top)) {
        const place = placeOf(change);
        this.#pending.delete(place);
        this.#pending.set(place, change);
      }
      if (item.type === "resync") this.#opened++;
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

function pendingChangesOf(item: Changes | Resync, top: string): readonly PendingChange[] {
  if (item.type === "changes") return item.changes.map(pendingChangeOfEvent);
  if (item.reason === "cluster-changed") throw new SourceReplacedError();
  return [{ index: 0, kind: "tree", key: top, directory: undefined }];
}

function pendingChangeOfEvent({ action, node, prevNode }: EtcdResponse): PendingChange {
  const { key, value = "", expiration, ttl, modifiedIndex: index } = node;
  if (isRemoval(action)) {
    if (prevNode?.dir) return { index, kind: "tree", key, directory: { isRemoved: true } };
    return { index, kind: "gone", key };
  }
  if (node.dir) return { index, kind: "tree", key, directory: { isRemoved: false, ttl } };
  if (expiration === undefined) return { index, kind: "put", key, value };
  return { index, kind: "leased", key, value, ttl: Math.max(1, ttl ?? 1) };
}

/**
 * Where a change replaces an earlier one. The removal of a directory has its own place: nodes that exist only before it must
 * be removed even if the directory is created again.
 */
function placeOf(change: PendingChange): string {
  const isRemoval = change.kind === "tree" && change.directory?.isRemoved === true;
  return isRemoval ? `${change.key}/` : change.key;
}

/** They all have the same one. */
function indexOf({ changes }: Changes): number {
  return changes[0]?.node.modifiedIndex ?? 0;
}
