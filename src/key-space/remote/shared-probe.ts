import { EtcdServerError } from "../../errors/server-error.js";
import { onAbort } from "../../stream/on-abort.js";
import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";

type Read = (signal: AbortSignal) => Promise<number>;

/** Milliseconds between the beginnings of two reads: never more than 20 a second. */
const SPACING = 50;

/** A read that has not begun yet, and for how many. */
interface Round {
  readonly answer: Promise<number>;
  readonly abandon: AbortController;
  callers: number;
}

/**
 * The probes of all watches at one member, as one read for all that wait: what begins after they
 * asked answers all of them.
 */
export class SharedProbe {
  readonly #clock: Clock;
  #next: Round | undefined;
  #begunAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Reads, or waits for the read of another, unless etcd refused that one. */
  async ask(read: Read, signal: AbortSignal | undefined): Promise<number> {
    const isMine = this.#next === undefined;
    this.#next ??= this.#open(read);
    try {
      return await this.#join(this.#next, signal);
    } catch (error) {
      if (isMine || !(error instanceof EtcdServerError)) throw error;
      return await read(signal ?? new AbortController().signal);
    }
  }

  #open(read: Read): Round {
    const abandon = new AbortController();
    const begin = async (): Promise<number> => {
      try {
        const wait = this.#begunAt + SPACING - this.#clock.monotonic();
        if (wait > 0) await sleep(wait, this.#clock, abandon.signal);
      } finally {
        this.#next = undefined;
      }
      this.#begunAt = this.#clock.monotonic();
      return await read(abandon.signal);
    };
    // Begun in a moment, so that it is there to be joined.
    return { answer: Promise.resolve().then(begin), abandon, callers: 0 };
  }

  /** Gives the read up with the last one that waits for it. */
  async #join(round: Round, signal: AbortSignal | undefined): Promise<number> {
    const leave = (): void => {
      round.callers--;
      if (round.callers === 0) round.abandon.abort(signal?.reason);
    };
    round.callers++;
    if (signal === undefined) return await round.answer;
    return await new Promise((resolve, reject) => {
      const onLeave = (): void => {
        leave();
        reject(signal.reason);
      };
      onAbort(signal, onLeave);
      const settled = (): void => signal.removeEventListener("abort", onLeave);
      round.answer.finally(settled).then(resolve, reject);
      if (signal.aborted) onLeave();
    });
  }
}
