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

/** Maximum number of consecutive unreadable responses (about 30 s). After that the watch fails. */
const MAX_UNREADABLE_RESPONSES = 10;

/** Restarts the session of a watch after every failure that can be repaired. */
export class WatchSupervisor {
  readonly #session: WatchSession;
  readonly #buffer: ItemBuffer;
  readonly #clock: Clock;
  readonly #operation: string;
  readonly #pace: ReconnectPace;
  readonly #signal: AbortSignal;
  /** Reason of the pending resync, if any. */
  #pendingResync: WatchResync["reason"] | undefined;
  #unreadableResponses = 0;
  #isSlow = false;
  /** Whether there was no progress since the last resync. */
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
    if (settings.initial) this.#pendingResync = "initial";
  }

  get index(): number {
    return this.#session.index;
  }

  get contactAt(): number | undefined {
    return this.#session.contactAt;
  }

  /** Never resolves. @throws AbortError, and errors that cannot be repaired */
  async run(): Promise<never> {
    for (;;) {
      // Without an open watch, nothing else would notice that the signal was aborted.
      this.#signal.throwIfAborted();
      this.#pace.opens();
      const continueNow = await this.#attempt();
      if (!continueNow) await this.#pace.pause(this.#signal);
    }
  }

  async #attempt(): Promise<boolean> {
    try {
      await this.#session.follow(this.#pendingResync, this.#onResync);
      return false;
    } catch (error) {
      return await this.#repair(error);
    }
  }

  /** @returns whether to continue without delay */
  async #repair(error: unknown): Promise<boolean> {
    if (error instanceof BufferFull) {
      this.#isSlow = true;
      await this.#buffer.waitForRoom();
      return true;
    }
    if (error instanceof EventIndexClearedError) {
      this.#pendingResync = this.#isSlow ? "slow-consumer" : "history-cleared";
      return !this.#isFresh;
    }
    if (error instanceof OtherCluster) {
      this.#pendingResync = "cluster-changed";
      return !this.#isFresh;
    }
    if (!isRetryable(error) || this.#isTooOften(error)) throw error;
    const retryAfter = this.#pace.next();
    const cause = error instanceof Error ? error : new Error(String(error));
    traceWatchFailure({ operation: this.#operation, cause, retryAfter });
    await sleep(retryAfter, this.#clock, this.#signal);
    return true;
  }

  #isTooOften(error: unknown): boolean {
    return (
      error instanceof ProtocolError && ++this.#unreadableResponses >= MAX_UNREADABLE_RESPONSES
    );
  }

  readonly #onResync = (): void => {
    this.#pendingResync = undefined;
    this.#isSlow = false;
    this.#isFresh = true;
  };

  readonly #onProgress = (): void => {
    this.#pace.progress();
    this.#unreadableResponses = 0;
    this.#isFresh = false;
  };
}
