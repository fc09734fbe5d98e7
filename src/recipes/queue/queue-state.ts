import { offAbort, onAbort } from "../../stream/on-abort.js";
import type { Watcher } from "../../watch/watcher.js";
import { ChildNames } from "../shared/child-names.js";
import type { RecipeClient } from "../shared/recipe-client.js";

/**
 * The items of a queue and their claims, as two watches deliver them. The state may be outdated: then
 * a claim is refused, which costs one round trip.
 */
export class QueueState {
  readonly #watchers: readonly Watcher[];
  readonly #items: ChildNames;
  readonly #claims: ChildNames;
  readonly #waiters = new Set<() => void>();
  #failure: Error | undefined;

  /** Watches two directories: claims are hidden keys, which a watch on the items does not deliver. */
  constructor(etcd: RecipeClient, items: string, claims: string) {
    this.#items = new ChildNames(items);
    this.#claims = new ChildNames(claims);
    const follow = (names: ChildNames, key: string): Watcher => {
      const watcher = etcd.watch(key, { recursive: true, initial: true });
      void this.#follow(watcher, names);
      return watcher;
    };
    this.#watchers = [follow(this.#items, items), follow(this.#claims, claims)];
  }

  /** Whether the watches are open. */
  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /**
   * Returns the oldest item without a known claim and marks it as claimed, so that other calls in
   * this process try the next one. The watch delivers the real claim later.
   */
  reserve(): string | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#items.isKnown || !this.#claims.isKnown) return undefined;
    for (const name of this.#items) {
      if (this.#claims.has(name)) continue;
      this.#claims.add(name);
      return name;
    }
    return undefined;
  }

  /** Makes an item available again after a claim that failed without a response. */
  unreserve(name: string): void {
    this.#claims.delete(name);
    this.#wake();
  }

  /** Removes an item that no longer exists. */
  remove(name: string): void {
    this.#items.delete(name);
  }

  /** Resolves when `reserve` may return another item, or when `signal` aborts. */
  nextChange(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#failure !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(wake);
        offAbort(signal, wake);
        resolve();
      };
      this.#waiters.add(wake);
      onAbort(signal, wake);
    });
  }

  close(reason = new Error("the queue was closed")): void {
    this.#failure ??= reason;
    for (const watcher of this.#watchers) watcher.close();
    this.#wake();
  }

  async #follow(watcher: Watcher, names: ChildNames): Promise<void> {
    try {
      for await (const item of watcher) {
        names.apply(item);
        this.#wake();
      }
      this.close();
    } catch (error) {
      this.close(error as Error);
    }
  }

  /** Wakes the waiters in the order of their calls, which is the order in which they reserve. */
  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}
