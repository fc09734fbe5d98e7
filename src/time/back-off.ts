/**
 * Delays between attempts, as an immutable value. `next` returns the longer delay after another
 * failure. The upper half of each delay is random, so that many clients do not retry at the same time.
 */
export class BackOff {
  /** 0.5 s after the first failure, doubling up to 30 s. */
  static readonly none = new BackOff(0, 500, 30_000);
  /** 0.5 s after the first failure, doubling up to 4 s, for operations that a user waits for. */
  static readonly short = new BackOff(0, 500, 4_000);
  /** 50 ms after the first failure, doubling up to 2 s, when the failure is often over at once. */
  static readonly quick = new BackOff(0, 50, 2_000);
  readonly #failures: number;
  readonly #firstDelayMs: number;
  readonly #maxDelayMs: number;

  private constructor(failures: number, firstDelayMs: number, maxDelayMs: number) {
    this.#failures = failures;
    this.#firstDelayMs = firstDelayMs;
    this.#maxDelayMs = maxDelayMs;
  }

  /** The same delay after each failure: half of `delayMs` to all of it. */
  static constant(delayMs: number): BackOff {
    return new BackOff(0, delayMs, delayMs);
  }

  next(): BackOff {
    return new BackOff(this.#failures + 1, this.#firstDelayMs, this.#maxDelayMs);
  }

  /** Returns milliseconds to wait; 0 before the first failure. */
  delay(random: () => number = Math.random): number {
    if (this.#failures === 0) return 0;
    const full = Math.min(this.#maxDelayMs, this.#firstDelayMs * 2 ** (this.#failures - 1));
    return full / 2 + (full / 2) * random();
  }
}
