import { count, durationText, whole } from "./migration-text.js";
import { Rate } from "./rate.js";

/** Time after which the remaining time can be estimated. */
const MIN_ESTIMATE_MS = 2_000;

/** The progress of work on keys, in one line: `exporting 13,121 / 100,121 keys · 2,000 keys/s · 43s left`. */
export class CountText {
  readonly #what: string;
  readonly #rate = new Rate();
  #begunAt: number | undefined;

  /** @param what the work, e.g. `exporting` */
  constructor(what: string) {
    this.#what = what;
  }

  /**
   * @param total undefined if it was not counted
   * @param at time in milliseconds
   */
  of(done: number, total: number | undefined, at: number): string {
    this.#begunAt ??= at;
    const rate = this.#rate.of(done, at);
    const parts = [
      `${this.#what} ${ofTotal(done, total)}`,
      ...(rate > 0 ? [rateText(rate)] : []),
      ...this.#left(done, total, at - this.#begunAt),
    ];
    return parts.join(" · ");
  }

  /** By the rate since the begin: that of the last seconds varies with the sizes of directories. */
  #left(done: number, total: number | undefined, elapsed: number): readonly string[] {
    if (total === undefined || done === 0 || done >= total || elapsed < MIN_ESTIMATE_MS) return [];
    return [`${durationText((elapsed / done) * (total - done))} left`];
  }
}

/** `13,121 / 100,121 keys`. More than were counted may be found, because the tree is in use. */
export function ofTotal(done: number, total: number | undefined): string {
  return total === undefined
    ? count(done, "key")
    : `${whole(done)} / ${count(Math.max(done, total), "key")}`;
}

/** The only unit of rates. */
function rateText(perSecond: number): string {
  return `${whole(perSecond)} keys/s`;
}
