/**
 * Exponential back-off with jitter, as an immutable value: each failure gives the next, longer one.
 */
export class BackOff {
  static readonly none = new BackOff(0);
  readonly #failures: number;

  private constructor(failures: number) {
    this.#failures = failures;
  }

  next(): BackOff {
    return new BackOff(this.#failures + 1);
  }

  /**
   * Milliseconds to stay away: 0.5 s after the first failure, doubling up to 30 s, of which the
   * upper half is random, so that many clients do not come back at once.
   */
  delay(random: () => number = Math.random): number {
    if (this.#failures === 0) return 0;
    const whole = Math.min(30_000, 500 * 2 ** (this.#failures - 1));
    return whole / 2 + (whole / 2) * random();
  }
}
