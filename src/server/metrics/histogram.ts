import type { MetricSample } from "./prometheus-text.js";

/** Counts values by size. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** How many values were at most as large as each bound. */
  readonly #counts: number[];
  #count = 0;
  #sum = 0;

  /** `bounds` rise. */
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
