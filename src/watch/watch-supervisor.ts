import { traceWatchFailure } from "../cluster/exchange/tracing.js";
import { ProtocolError } from "../errors/cluster-errors.js";
import { EventIndexClearedError } from "../errors/event-errors.js";
import { isRetryable } from "../key-space/shared/is-retryable.js";
import type { WatchResync } from "../model/watch-item.js";
import type { Clock } from "../time/clock.js";
import { ReconnectPace } from "../time/reconnect-pace.js";
import { sleep } from "../time/sleep.js";
import type { ItemBuffer } from "./item-buffer.js";
import { BufferFull, OtherCluster } from "./watch-progress.js";
import { WatchSession } from "./watch-session.js";
import type { WatchSettings, WatchSource } from "./watch-source.js";

/** Unreadable answers one after another, for some 30 s, after which none is expected to be better. */
const UNREADABLE_LIMIT = 10;

/** Follows a key again after whatever goes wrong, as far as it can be repaired. */
export class WatchSupervisor {
  readonly #session: WatchSession;
  readonly #buffer: ItemBuffer;
  readonly #clock: Clock;
  readonly #operation: string;
  readonly #pace: ReconnectPace;
  readonly #signal: AbortSignal;
  /** Why the consumer is owed the state as a whole. */
  #owed: WatchResync["reason"] | undefined;
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
    this.#operation = `watch ${settings.key}`;
    this.#pace = new ReconnectPace(source.clock);
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
      this.#pace.opens();
      const goesOnAtOnce = await this.#attempt();
      if (!goesOnAtOnce) await this.#pace.pause(this.#signal);
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
      this.#owed = this.#isSlow ? "slow-consumer" : "history-cleared";
      return !this.#isFresh;
    }
    if (error instanceof OtherCluster) {
      this.#owed = "cluster-changed";
      return !this.#isFresh;
    }
    if (!isRetryable(error) || this.#isHopeless(error)) throw error;
    const retryAfter = this.#pace.next();
    const cause = error instanceof Error ? error : new Error(String(error));
    traceWatchFailure({ operation: this.#operation, cause, retryAfter });
    await sleep(retryAfter, this.#clock, this.#signal);
    return true;
  }

  #isHopeless(error: unknown): boolean {
    return error instanceof ProtocolError && ++this.#unreadable >= UNREADABLE_LIMIT;
  }

  readonly #onTold = (): void => {
    this.#owed = undefined;
    this.#isSlow = false;
    this.#isFresh = true;
  };

  readonly #onProgress = (): void => {
    this.#pace.progress();
    this.#unreadable = 0;
    this.#isFresh = false;
  };
}
