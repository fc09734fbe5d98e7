import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";

/** Maximum operations between two waits. */
const MAX_BATCH_SIZE = 1_000;

/** Limits the rate of operations per second by a wait after each batch. */
export class RateLimiter {
  readonly #rate: number | undefined;
  readonly #clock: Clock;
  /** Monotonic time at which the next operation is allowed. */
  #allowedAt = 0;

  constructor(rate: number | undefined, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Maximum operations in one batch. */
  get maxBatchSize(): number {
    return Math.min(MAX_BATCH_SIZE, Math.ceil(this.#rate ?? MAX_BATCH_SIZE));
  }

  async waitAfter(count: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#rate === undefined || count === 0) return;
    const now = this.#clock.monotonic();
    this.#allowedAt = Math.max(this.#allowedAt, now) + (count * 1000) / this.#rate;
    if (this.#allowedAt > now) await sleep(this.#allowedAt - now, this.#clock, signal);
  }
}
