/** Events of the whole store between two probes: the history holds 1000. */
const EVENTS_BETWEEN = 200;
/** Milliseconds: never more than 20 probes a second. */
const SHORTEST = 50;
/** Milliseconds between two probes of a store that rests, as long as `pollInterval` allows it. */
const LONGEST = 5_000;

/** How long to wait between index probes, so that few events lie between two of them. */
export class ProbePace {
  readonly #longest: number;
  #interval = SHORTEST;
  #last: { readonly index: number; readonly at: number } | undefined;

  /** `pollInterval` in milliseconds: the interval never exceeds it. */
  constructor(pollInterval: number) {
    this.#longest = Math.min(pollInterval, LONGEST);
  }

  /** Milliseconds from one probe to the next. */
  get interval(): number {
    return this.#interval;
  }

  /** Takes note of a probe's answer, and when (monotonic) it was asked for. */
  note(index: number, at: number): void {
    const last = this.#last;
    this.#last = { index, at };
    if (last === undefined || at <= last.at) return;
    const perMillisecond = Math.max(0, index - last.index) / (at - last.at);
    // A store that calms down is trusted slowly: the next burst gives no notice.
    const wanted = Math.min(EVENTS_BETWEEN / perMillisecond, 2 * this.#interval);
    this.#interval = Math.max(Math.min(SHORTEST, this.#longest), Math.min(wanted, this.#longest));
  }
}
