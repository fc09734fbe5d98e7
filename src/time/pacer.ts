import type { Clock } from "./clock.js";
import { sleep } from "./sleep.js";

/** Random extra share of the spacing, so that many clients do not act at the same time. */
const JITTER = 0.2;

/** Keeps a minimum interval between the starts of operations. */
export class Pacer {
  readonly #spacing: number;
  readonly #clock: Clock;
  /** Monotonic time at which the next operation may start. */
  #nextAt = Number.NEGATIVE_INFINITY;

  /** @param spacing minimum milliseconds between two starts */
  constructor(spacing: number, clock: Clock) {
    this.#spacing = spacing;
    this.#clock = clock;
  }

  /** Resolves when the caller may start, in the order of the calls. @throws AbortError */
  async turn(signal?: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + this.#spacing * (1 + JITTER * Math.random());
    if (at > now) await sleep(at - now, this.#clock, signal);
  }
}
