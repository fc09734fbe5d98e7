/**
 * Exponential back-off with jitter, as an immutable value: each failure gives the next, longer one.
 */
export class BackOff {
  static readonly none = new BackOff(0, 30_000);
  /** For what somebody waits for: it comes back sooner. */
  static readonly short = new BackOff(0, 4_000);
  readonly #failures: number;
  readonly #longest: number;

  private constructor(failures: number, longest: number) {
    this.#failures = failures;
    this.#longest = longest;
  }

  next(): BackOff {
    return new BackOff(this.#failures + 1, this.#longest);
  }

  /**
   * Milliseconds to stay away: 0.5 s after the first failure, doubling up to 30 s, or 4 s for
   * {@link short}, of which the upper half is random, so that many clients do not come back at once.
   */
  delay(random: () => number = Math.random): number {
    if (this.#failures === 0) return 0;
    const whole = Math.min(this.#longest, 500 * 2 ** (this.#failures - 1));
    return whole / 2 + (whole / 2) * random();
  }
}
