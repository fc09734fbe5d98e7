import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";

/** Pieces between two looks at the time. */
const MAX_PIECE = 1_000;

/** Keeps work below a rate, per second, by waiting after each piece of it. */
export class RateLimiter {
  readonly #rate: number | undefined;
  readonly #clock: Clock;
  /** Monotonic moment at which what was done so far is paid for. */
  #paidAt = 0;

  constructor(rate: number | undefined, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Pieces that may be done at once. */
  get most(): number {
    return Math.min(MAX_PIECE, Math.ceil(this.#rate ?? MAX_PIECE));
  }

  async after(pieces: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#rate === undefined || pieces === 0) return;
    const now = this.#clock.monotonic();
    this.#paidAt = Math.max(this.#paidAt, now) + (pieces * 1000) / this.#rate;
    if (this.#paidAt > now) await sleep(this.#paidAt - now, this.#clock, signal);
  }
}
