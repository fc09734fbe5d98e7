import type { WatchItem } from "../../model/watch-item.js";
import { onAbort } from "../../stream/on-abort.js";
import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";
import type { Watcher } from "../../watch/watcher.js";

/** Receives the items and errors of a feed. */
export interface MirrorFeedHandler {
  onItem(item: WatchItem): void;
  /** The watch failed. The feed opens another one. */
  onError(error: Error): void;
}

/** Opens a new watch after each failure, because the cause of a failure may disappear. */
export class MirrorFeed {
  readonly #open: () => Watcher;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #handler: MirrorFeedHandler;
  #watcher: Watcher;
  /** Last contact of the previous watches; at first, the time of the start. */
  #currentAt: number;
  #backOff = BackOff.none;
  #onReopened: () => void = () => {};

  /** Opens the first watch, and throws its error. Ends with the signal, or when a watch ends. */
  constructor(open: () => Watcher, clock: Clock, signal: AbortSignal, handler: MirrorFeedHandler) {
    this.#open = open;
    this.#clock = clock;
    this.#signal = signal;
    this.#handler = handler;
    this.#currentAt = clock.monotonic();
    this.#watcher = open();
  }

  /** Index up to which all events were delivered. */
  get index(): number {
    return this.#watcher.index;
  }

  /** Monotonic milliseconds of the last contact, or of the start when there was no contact. */
  get currentAt(): number {
    return this.#watcher.currentAt ?? this.#currentAt;
  }

  /**
   * Makes the watch prove an index soon. Resolves to `true` when the handler has got everything up to it, and to
   * `false` when the signal aborts.
   */
  async reached(index: number, signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const watcher = this.#watcher;
      try {
        await watcher.reached(index, { signal });
        return true;
      } catch {
        // The watch failed, or the index has no meaning in another cluster.
        if (watcher === this.#watcher) await this.#untilReopened(signal);
      }
    }
    return false;
  }

  /** Delivers until the end. @throws AbortError when the signal aborts between two watches */
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
      this.#handler.onItem(item);
      this.#backOff = BackOff.none;
    }
  }

  async #recover(error: unknown): Promise<void> {
    this.#handler.onError(error instanceof Error ? error : new Error(String(error)));
    this.#currentAt = this.currentAt;
    this.#backOff = this.#backOff.next();
    await sleep(this.#backOff.delay(), this.#clock, this.#signal);
    this.#watcher = this.#open();
    const notify = this.#onReopened;
    this.#onReopened = () => {};
    notify();
  }

  #untilReopened(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#onReopened;
      this.#onReopened = () => [before(), resolve()];
      onAbort(signal, resolve);
      if (signal.aborted) resolve();
    });
  }
}
