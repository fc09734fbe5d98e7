import type { AuthStore } from "../../auth/auth-store.js";
import { AbortError } from "../../errors/abort-error.js";
import { EtcdError } from "../../errors/etcd-error.js";
import type { KeyWatch } from "../../key-space/key-space.js";
import { type Clock, systemClock } from "../../time/clock.js";
import { nextTurn } from "../../time/event-loop.js";
import type { Permit } from "./key-guard.js";

/** Interval between two checks of the permits of all watches, if no change is reported. */
export const REVIEW_INTERVAL_MS = 5_000;
/** Number of watches checked in one turn of the event loop. */
const WATCHES_PER_TURN = 200;

type Closable = Pick<KeyWatch, "close">;

/**
 * Closes watches whose permit has become invalid. It checks when the store reports a change, and every
 * {@link REVIEW_INTERVAL_MS}, because a dead connection reports none. While auth is on, a watch is also closed
 * when its permit cannot be checked.
 */
export class WatchReview {
  readonly #store: AuthStore;
  readonly #clock: Clock;
  readonly #watches = new Map<Closable, Permit>();
  #cancelTimer: () => void = () => {};
  #isFollowing = false;
  #isReviewing = false;
  /** Whether something has changed since the current review began. */
  #isStale = false;

  constructor(store: AuthStore, clock: Clock = systemClock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @returns a function to call when the watch is over */
  add(permit: Permit, watch: Closable): () => void {
    this.#watches.set(watch, permit);
    if (this.#watches.size === 1) this.#schedule();
    if (!this.#isFollowing) void this.#follow();
    return () => {
      if (this.#watches.delete(watch) && this.#watches.size === 0) this.#cancelTimer();
    };
  }

  #schedule(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(REVIEW_INTERVAL_MS, () => {
      if (!this.#isFollowing) void this.#follow();
      void this.#review();
      this.#schedule();
    });
  }

  /** Reviews whenever a user, a role or a switch changes, until the store's watch ends. */
  async #follow(): Promise<void> {
    this.#isFollowing = true;
    try {
      for await (const _event of await this.#store.openWatch()) void this.#review();
    } catch (error) {
      if (!(error instanceof EtcdError || error instanceof AbortError)) throw error;
    } finally {
      this.#isFollowing = false;
    }
  }

  async #review(): Promise<void> {
    this.#isStale = true;
    if (this.#isReviewing) return;
    this.#isReviewing = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        await this.#reviewAll();
      }
    } finally {
      this.#isReviewing = false;
    }
  }

  async #reviewAll(): Promise<void> {
    let checked = 0;
    for (const [watch, permit] of this.#watches) {
      if (!(await this.#isValid(permit))) watch.close();
      if (++checked % WATCHES_PER_TURN === 0) await nextTurn();
    }
  }

  async #isValid(permit: Permit): Promise<boolean> {
    try {
      return await permit.isValid();
    } catch {
      return !this.#store.wasEnabled;
    }
  }
}
