import { BackOff } from "./back-off.js";
import type { Clock } from "./clock.js";
import { sleep } from "./sleep.js";

/** Duration of a connection after which the delays start again. */
const LONG_MS = 10_000;

/**
 * Delays between reconnects. They grow up to 4 s with consecutive failures and reset after
 * progress. A connection that breaks often, but delivers something each time, is not delayed more.
 */
export class ReconnectPace {
  readonly #clock: Clock;
  #backOff = BackOff.short;
  #openedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#openedAt = clock.monotonic();
  }

  /** Call this before opening a connection. */
  opens(): void {
    this.#openedAt = this.#clock.monotonic();
  }

  /** Call this when the connection has delivered something. */
  progress(): void {
    this.#backOff = BackOff.short;
  }

  /** Returns milliseconds to wait before reconnecting. Call it when a connection has ended. */
  next(): number {
    if (this.#clock.monotonic() - this.#openedAt > LONG_MS) this.progress();
    const delay = this.#backOff.delay();
    this.#backOff = this.#backOff.next();
    return delay;
  }

  /** Waits for {@link next}. @throws AbortError */
  async pause(signal: AbortSignal | undefined): Promise<void> {
    await sleep(this.next(), this.#clock, signal);
  }
}
