/** Milliseconds over which a rate is taken. */
const WINDOW = 5_000;

/** How fast a count has grown lately. */
export class Rate {
  #samples: { readonly count: number; readonly at: number }[] = [];

  /** Per second, when the count is as given at a moment, in milliseconds. */
  of(count: number, at: number): number {
    // It has begun anew.
    if (count < (this.#samples.at(-1)?.count ?? 0)) this.#samples = [];
    this.#samples.push({ count, at });
    while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) >= WINDOW) {
      this.#samples.shift();
    }
    const [first = { count: 0, at: 0 }] = this.#samples.length > 1 ? this.#samples : [];
    return ((count - first.count) * 1000) / Math.max(1, at - first.at);
  }
}
