import type { WatchItem } from "../../model/watch-item.js";
import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";
import type { Watcher } from "../../watch/watcher.js";

/** Who is fed. */
export interface Fed {
  take(item: WatchItem): void;
  /** The watch failed; another one will be tried. */
  fail(error: Error): void;
}

/** One watch after another, each until it fails: what one gives up on may heal all the same. */
export class MirrorFeed {
  readonly #open: () => Watcher;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #fed: Fed;
  #watcher: Watcher;
  /** What the watches before the present one knew; at first, the moment of the start. */
  #contactAt: number;
  #backOff = BackOff.none;

  /** Opens the first watch, and throws what that throws. Ends by the signal, or with a watch that ends. */
  constructor(open: () => Watcher, clock: Clock, signal: AbortSignal, fed: Fed) {
    this.#open = open;
    this.#clock = clock;
    this.#signal = signal;
    this.#fed = fed;
    this.#contactAt = clock.monotonic();
    this.#watcher = open();
  }

  /** Index up to which everything was fed. */
  get index(): number {
    return this.#watcher.index;
  }

  /** Monotonic milliseconds of the last contact; of the start, when there was none. */
  get contactAt(): number {
    return this.#watcher.contactAt ?? this.#contactAt;
  }

  /** Feeds until the end. @throws AbortError when that comes between two watches */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await this.#drain();
        return;
      } catch (error) {
        if (!this.#signal.aborted) await this.#recover(error);
      }
    }
  }

  async #drain(): Promise<void> {
    for await (const item of this.#watcher) {
      if (this.#signal.aborted) return;
      this.#fed.take(item);
      this.#backOff = BackOff.none;
    }
  }

  async #recover(error: unknown): Promise<void> {
    this.#fed.fail(error instanceof Error ? error : new Error(String(error)));
    this.#contactAt = this.contactAt;
    this.#backOff = this.#backOff.next();
    await sleep(this.#backOff.delay(), this.#clock, this.#signal);
    this.#watcher = this.#open();
  }
}
