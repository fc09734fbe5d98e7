import { ManualClock } from "../../src/testing/manual-clock.js";
import type { Clock } from "../../src/time/clock.js";

/** The clock of tests, which advances only when the test says so. */
export class SimulatedClock implements Clock {
  readonly #clock = new ManualClock();

  readonly now = (): number => this.#clock.now();
  readonly monotonic = (): number => this.#clock.monotonic();

  after(milliseconds: number, callback: () => void): () => void {
    return this.#clock.after(milliseconds, callback);
  }

  /** Number of pending timers. */
  get pending(): number {
    return this.#clock.pending;
  }

  /** Sets the time forward, then calls back what is due. A timer that is set meanwhile waits for the next call. */
  advance(milliseconds: number): void {
    this.#clock.jump(milliseconds);
  }

  /** Lets time pass, one timer after the other, and waits until what each one set off is done. */
  pass(milliseconds: number): Promise<void> {
    return this.#clock.advance(milliseconds);
  }
}
