import type { Clock } from "./clock.js";
import { sleep } from "./sleep.js";

/** Share of the spacing that is added at random, so that many clients do not keep in step. */
const JITTER = 0.2;

/** Keeps a distance between the beginnings of things. */
export class Pacer {
  readonly #spacing: number;
  readonly #clock: Clock;
  /** Moment (monotonic) at which the next one may begin. */
  #nextAt = Number.NEGATIVE_INFINITY;

  /** @param spacing milliseconds, at the least */
  constructor(spacing: number, clock: Clock) {
    this.#spacing = spacing;
    this.#clock = clock;
  }

  /** Resolves when the caller may begin, in the order of the calls. @throws AbortError */
  async turn(signal?: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + this.#spacing * (1 + JITTER * Math.random());
    if (at > now) await sleep(at - now, this.#clock, signal);
  }
}
