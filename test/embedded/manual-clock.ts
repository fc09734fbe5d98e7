import type { Clock } from "../../src/time/clock.js";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Time that passes when the test says so. */
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

  /** Calls back what is due then; what that sets up anew waits for the next time. */
  pass(milliseconds: number): void {
    this.#time += milliseconds;
    for (const timer of [...this.#timers]) {
      if (timer.due <= this.#time && this.#timers.delete(timer)) timer.callback();
    }
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }
}
