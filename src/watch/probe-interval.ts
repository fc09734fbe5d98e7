/** Changes of the whole store between two looks at it: etcd's history holds 1000. */
const CHANGES_BETWEEN = 200;
/** Milliseconds: never more than 20 looks a second. */
const SHORTEST_MS = 50;
/** Milliseconds between two looks at a store that rests, as long as `pollInterval` allows it. */
const LONGEST_MS = 5_000;
/** Share of the interval that is random, so that many watches do not ask at the same time. */
const JITTER = 0.2;

/** How long to wait between two looks at the index of the store, so that few changes lie between them. */
export class ProbeInterval {
  readonly #longest: number;
  readonly #shortest: number;
  #interval: number;
  #perMillisecond = 0;
  #last: { readonly index: number; readonly at: number } | undefined;

  /** `pollInterval` in milliseconds: the interval never exceeds it. */
  constructor(pollInterval: number) {
    this.#longest = Math.min(pollInterval, LONGEST_MS);
    this.#shortest = Math.min(SHORTEST_MS, this.#longest);
    this.#interval = this.#shortest;
  }

  /** Milliseconds from one look to the next. */
  get milliseconds(): number {
    return this.#interval;
  }

  /** The same with jitter; never longer. */
  jittered(random: () => number = Math.random): number {
    return this.#interval * (1 - JITTER * random());
  }

  /** The index that the store has at a moment (monotonic) if it moves on as before; 0 if nothing is known. */
  estimateAt(at: number): number {
    if (this.#last === undefined) return 0;
    return Math.floor(this.#last.index + this.#perMillisecond * (at - this.#last.at));
  }

  /** Takes note of an index of the store, and when (monotonic) it was asked for. */
  note(index: number, at: number): void {
    const last = this.#last;
    if (last !== undefined && at <= last.at) return;
    this.#last = { index, at };
    if (last === undefined) return;
    this.#perMillisecond = Math.max(0, index - last.index) / (at - last.at);
    // A store that calms down is trusted slowly: the next burst gives no notice.
    const wanted = Math.min(CHANGES_BETWEEN / this.#perMillisecond, 2 * this.#interval);
    this.#interval = Math.max(this.#shortest, Math.min(wanted, this.#longest));
  }
}
