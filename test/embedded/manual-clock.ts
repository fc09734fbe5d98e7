import type { Clock } from "../../src/time/clock.js";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that the test advances. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #time = Date.UTC(2030, 0, 1);

  readonly now = (): number => this.#time;
  readonly monotonic = (): number => this.#time;

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { due: this.#time + milliseconds, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Advances the clock and runs the timers that are due. New timers wait for the next call. */
  pass(milliseconds: number): void {
    this.#time += milliseconds;
    for (const timer of [...this.#timers]) {
      if (timer.due <= this.#time && this.#timers.delete(timer)) timer.callback();
    }
  }

  /** Number of pending timers. */
  get pending(): number {
    return this.#timers.size;
  }
}
