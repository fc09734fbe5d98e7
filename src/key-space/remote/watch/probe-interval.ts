/** Target number of changes of the store between two probes. etcd's history keeps 1000. */
const CHANGES_PER_PROBE = 200;
/** Minimum interval: at most 20 probes per second. */
const MIN_INTERVAL_MS = 50;
/** Maximum interval, for an idle store; a smaller `pollInterval` replaces it. */
const MAX_INTERVAL_MS = 5_000;
/** Random share of the interval, so that many watches do not probe at the same time. */
const JITTER = 0.2;

/**
 * The time between two probes of the store's index, chosen so that few changes lie between them.
 */
export class ProbeInterval {
  readonly #max: number;
  readonly #min: number;
  #interval: number;
  #perMillisecond = 0;
  #last: { readonly index: number; readonly at: number } | undefined;

  /** `pollInterval`: upper limit of the interval, in milliseconds. */
  constructor(pollInterval: number) {
    this.#max = Math.min(pollInterval, MAX_INTERVAL_MS);
    this.#min = Math.min(MIN_INTERVAL_MS, this.#max);
    this.#interval = this.#min;
  }

  /** The current interval without jitter. */
  get milliseconds(): number {
    return this.#interval;
  }

  /** The current interval with jitter, which only shortens it. */
  jittered(random: () => number = Math.random): number {
    return this.#interval * (1 - JITTER * random());
  }

  /**
   * Estimates the index at a monotonic time from the last rate of change; 0 if nothing is known.
   */
  estimateAt(at: number): number {
    if (this.#last === undefined) return 0;
    return Math.floor(this.#last.index + this.#perMillisecond * (at - this.#last.at));
  }

  /** Records an index of the store and the monotonic time when it was requested. */
  record(index: number, at: number): void {
    const last = this.#last;
    if (last !== undefined && at <= last.at) return;
    this.#last = { index, at };
    if (last === undefined) return;
    this.#perMillisecond = Math.max(0, index - last.index) / (at - last.at);
    // Lengthen the interval slowly: a burst comes without warning.
    const wanted = Math.min(CHANGES_PER_PROBE / this.#perMillisecond, 2 * this.#interval);
    this.#interval = Math.max(this.#min, Math.min(wanted, this.#max));
  }
}
