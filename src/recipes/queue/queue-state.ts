import type { Watcher } from "../../watch/watcher.js";
import { ChildNames } from "../shared/child-names.js";
import type { RecipeClient } from "../shared/recipe-client.js";

/**
 * Which items of a queue wait and which are claimed, as two watches tell. That may be late: a claim
 * that is refused then costs a round trip and no more.
 */
export class QueueState {
  readonly #watchers: readonly Watcher[];
  readonly #items: ChildNames;
  readonly #claims: ChildNames;
  readonly #waiting = new Set<() => void>();
  #failure: Error | undefined;

  /** Two directories: claims are hidden keys, of which a watch on the items tells nothing. */
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

  /** Whether the watches go on. */
  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /**
   * The oldest item that nobody is known to have claimed; it counts as claimed from now on, so that
   * others in this process try the next one. What the watch tells of the claim comes after that.
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

  /** An attempt to claim failed without an answer: the item may be tried again. */
  free(name: string): void {
    this.#claims.delete(name);
    this.#wake();
  }

  /** The item is there no longer. */
  forget(name: string): void {
    this.#items.delete(name);
  }

  /** Resolves when `reserve` is worth another try; `signal` aborts: at once. */
  change(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#failure !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
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

  /** In the order in which they came to wait, which is the order in which they will reserve. */
  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
