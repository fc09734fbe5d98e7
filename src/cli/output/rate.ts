const WINDOW_MS = 5_000;

/** The growth of a count over the last seconds. */
export class Rate {
  #samples: { readonly count: number; readonly at: number }[] = [];

  /** Adds a sample, with its time in milliseconds, and returns the rate per second. */
  of(count: number, at: number): number {
    // The count was reset.
    if (count < (this.#samples.at(-1)?.count ?? 0)) this.#samples = [];
    this.#samples.push({ count, at });
    while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) >= WINDOW_MS) {
      this.#samples.shift();
    }
    const [first = { count: 0, at: 0 }] = this.#samples.length > 1 ? this.#samples : [];
    return ((count - first.count) * 1000) / Math.max(1, at - first.at);
  }
}
