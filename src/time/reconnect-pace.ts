import { BackOff } from "./back-off.js";
import type { Clock } from "./clock.js";
import { sleep } from "./sleep.js";

/** Milliseconds after which a connection has lasted long enough to be opened again without delay. */
const LONG_MS = 10_000;

/**
 * The pauses of what is opened again for ever: growing up to 4 s with failures in a row, and none
 * after progress. Connections that break again and again, but bring something each time, do not slow it.
 */
export class ReconnectPace {
  readonly #clock: Clock;
  #backOff = BackOff.short;
  #openedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#openedAt = clock.monotonic();
  }

  /** A connection is about to be opened. */
  opens(): void {
    this.#openedAt = this.#clock.monotonic();
  }

  /** It has brought something. */
  progress(): void {
    this.#backOff = BackOff.short;
  }

  /** Milliseconds to wait before the next connection is opened, once this one has ended. */
  next(): number {
    if (this.#clock.monotonic() - this.#openedAt > LONG_MS) this.progress();
    const delay = this.#backOff.delay();
    this.#backOff = this.#backOff.next();
    return delay;
  }

  /** Waits that long. @throws AbortError */
  async pause(signal: AbortSignal | undefined): Promise<void> {
    await sleep(this.next(), this.#clock, signal);
  }
}
