import type { Clock } from "../../../time/clock.js";
import { sleep } from "../../../time/sleep.js";
import { Freshness } from "../../shared/freshness.js";

/** What a {@link FreshnessPoll} reads and asks for. */
export interface FreshnessSource {
  readonly clock: Clock;
  /** Revision up to which everything was delivered. */
  readonly delivered: number;
  /** Reads the current revision with a linearizable read. */
  read(signal: AbortSignal): Promise<number>;
  /** Makes etcd deliver something, which proves that everything before it was delivered. */
  prove(): void;
}

/** Limits of the interval between two reads, in milliseconds. */
const MIN_INTERVAL_MS = 50;
const MAX_INTERVAL_MS = 5_000;
/** Number of reads within the lag that a subscription allows. */
const READS_PER_LAG = 3;

/**
 * Keeps proving how current the delivered events are: everything that was committed before a read was sent is
 * delivered when the revision of the read is.
 */
export class FreshnessPoll {
  readonly #source: FreshnessSource;
  readonly #freshness = new Freshness();
  #interval = Number.POSITIVE_INFINITY;
  #running: AbortController | undefined;

  constructor(source: FreshnessSource) {
    this.#source = source;
  }

  /** Monotonic time: everything committed before was delivered. */
  get provenAt(): number | undefined {
    return this.#freshness.provenAt;
  }

  /** Starts the reads, or shortens their interval. `maxLag`: in milliseconds. */
  start(maxLag: number): void {
    const interval = Math.max(MIN_INTERVAL_MS, Math.min(maxLag / READS_PER_LAG, MAX_INTERVAL_MS));
    if (interval >= this.#interval) return;
    this.stop();
    this.#interval = interval;
    this.#running = new AbortController();
    void this.#run(this.#running.signal).catch(() => {});
  }

  stop(): void {
    this.#interval = Number.POSITIVE_INFINITY;
    this.#running?.abort(new Error("nobody subscribes"));
  }

  /** Records that everything up to this revision was delivered. */
  advanceTo(revision: number): void {
    this.#freshness.advanceTo(revision);
  }

  /** Ends with the abort of the signal. */
  async #run(signal: AbortSignal): Promise<never> {
    for (let previous = 0; ; ) {
      const requestedAt = this.#source.clock.monotonic();
      const revision = await this.#read(signal);
      signal.throwIfAborted();
      if (revision !== undefined) {
        this.#freshness.recordRead(revision, requestedAt);
        this.#freshness.advanceTo(this.#source.delivered);
        if (previous > this.#source.delivered) this.#source.prove();
        previous = revision;
      }
      await sleep(this.#interval, this.#source.clock, signal);
    }
  }

  /** A read that fails proves nothing. */
  async #read(signal: AbortSignal): Promise<number | undefined> {
    try {
      return await this.#source.read(signal);
    } catch {
      return undefined;
    }
  }
}
