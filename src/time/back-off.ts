/**
 * Exponential backoff with jitter, as an immutable value. `next` returns the longer delay after
 * another failure.
 */
export class BackOff {
  static readonly none = new BackOff(0, 30_000);
  /** Shorter delays, for operations that a user waits for. */
  static readonly short = new BackOff(0, 4_000);
  readonly #failures: number;
  readonly #maxDelay: number;

  private constructor(failures: number, maxDelay: number) {
    this.#failures = failures;
    this.#maxDelay = maxDelay;
  }

  next(): BackOff {
    return new BackOff(this.#failures + 1, this.#maxDelay);
  }

  /**
   * Returns milliseconds to wait: 0.5 s after the first failure, doubling up to 30 s, or 4 s for
   * {@link short}. The upper half is random, so that many clients do not retry at the same time.
   */
  delay(random: () => number = Math.random): number {
    if (this.#failures === 0) return 0;
    const full = Math.min(this.#maxDelay, 500 * 2 ** (this.#failures - 1));
    return full / 2 + (full / 2) * random();
  }
}
