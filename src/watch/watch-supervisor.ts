import { ProtocolError } from "../errors/cluster-errors.js";
import { EventIndexClearedError } from "../errors/event-errors.js";
import { BackOff } from "../time/back-off.js";
import type { Clock } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import type { ItemBuffer } from "./item-buffer.js";

import { isRepairable } from "./repairable.js";
import type { WatchResync } from "./watch-item.js";
import { BufferFull, OtherCluster } from "./watch-progress.js";
import { WatchSession } from "./watch-session.js";
import type { WatchSettings, WatchSource } from "./watch-source.js";

/** Milliseconds after which a watch has stood long enough to be opened again without delay. */
const LONG = 10_000;
/** Failures after which back-off grows no more, at 4 s: a watch that sleeps longer is late. */
const GROWING_FAILURES = 4;
/** Unreadable answers one after another, for some 30 s, after which none is expected to be better. */
const UNREADABLE_LIMIT = 10;

/** Follows a key again after whatever goes wrong, as far as it can be repaired. */
export class WatchSupervisor {
  readonly #session: WatchSession;
  readonly #buffer: ItemBuffer;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** Why the consumer is owed the state as a whole. */
  #owed: WatchResync["reason"] | undefined;
  #backOff = BackOff.none;
  #failures = 0;
  #unreadable = 0;
  #isSlow = false;
  /** Whether nothing was achieved since the last resync. */
  #isFresh = false;

  constructor(
    source: WatchSource,
    settings: WatchSettings,
    buffer: ItemBuffer,
    signal: AbortSignal,
  ) {
    this.#session = new WatchSession(source, settings, buffer, signal, this.#onProgress);
    this.#buffer = buffer;
    this.#clock = source.clock;
    this.#signal = signal;
    if (settings.initial) this.#owed = "initial";
  }

  get index(): number {
    return this.#session.index;
  }

  get contactAt(): number | undefined {
    return this.#session.contactAt;
  }

  /** Never resolves. @throws AbortError, and what cannot be repaired */
  async run(): Promise<never> {
    for (;;) {
      // It may have ended while no watch stood that would have told.
      this.#signal.throwIfAborted();
      const startedAt = this.#clock.monotonic();
      const goesOnAtOnce = await this.#attempt();
      if (this.#clock.monotonic() - startedAt > LONG) this.#onProgress();
      if (!goesOnAtOnce) await this.#rest();
    }
  }

  async #attempt(): Promise<boolean> {
    try {
      await this.#session.follow(this.#owed, this.#onTold);
      return false;
    } catch (error) {
      return await this.#repair(error);
    }
  }

  /** @returns whether to go on without delay */
  async #repair(error: unknown): Promise<boolean> {
    if (error instanceof BufferFull) {
      this.#isSlow = true;
      await this.#buffer.room();
      return true;
    }
    if (error instanceof EventIndexClearedError) {
      this.#owed = this.#isSlow ? "slow consumer" : "history cleared";
      return !this.#isFresh;
    }
    if (error instanceof OtherCluster) {
      this.#owed = "cluster changed";
      return !this.#isFresh;
    }
    if (!isRepairable(error) || this.#isHopeless(error)) throw error;
    return false;
  }

  #isHopeless(error: unknown): boolean {
    return error instanceof ProtocolError && ++this.#unreadable >= UNREADABLE_LIMIT;
  }

  async #rest(): Promise<void> {
    await sleep(this.#backOff.delay(), this.#clock, this.#signal);
    if (this.#failures++ < GROWING_FAILURES) this.#backOff = this.#backOff.next();
  }

  readonly #onTold = (): void => {
    this.#owed = undefined;
    this.#isSlow = false;
    this.#isFresh = true;
  };

  readonly #onProgress = (): void => {
    this.#backOff = BackOff.none;
    this.#failures = 0;
    this.#unreadable = 0;
    this.#isFresh = false;
  };
}
