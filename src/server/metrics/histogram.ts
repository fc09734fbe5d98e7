import type { MetricSample } from "./prometheus-text.js";

/** Counts values in buckets. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** For each bound, the number of values up to it. */
  readonly #counts: number[];
  #count = 0;
  #sum = 0;

  /** @param bounds in ascending order */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#count++;
    this.#sum += value;
    this.#bounds.forEach((bound, position) => {
      if (value <= bound) this.#counts[position] = (this.#counts[position] ?? 0) + 1;
    });
  }

  show(labels: Readonly<Record<string, string>>): readonly MetricSample[] {
    const bucket = (le: string, value: number): MetricSample => ({
      suffix: "_bucket",
      labels: { ...labels, le },
      value,
    });
    return [
      ...this.#bounds.map((bound, position) => bucket(String(bound), this.#counts[position] ?? 0)),
      bucket("+Inf", this.#count),
      { suffix: "_sum", labels, value: this.#sum },
      { suffix: "_count", labels, value: this.#count },
    ];
  }
}
