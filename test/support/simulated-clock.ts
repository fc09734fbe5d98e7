import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/time/clock.js";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** The clock of tests, which advances only when the test says so. */
export class SimulatedClock implements Clock {
  readonly #timers = new Set<Timer>();
  #time = Date.UTC(2030, 0, 1);

  readonly now = (): number => this.#time;
  readonly monotonic = (): number => this.#time;

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { due: this.#time + Math.max(0, milliseconds), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Number of pending timers. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Sets the time forward, then calls back what is due. A timer that is set meanwhile waits for the next call. */
  advance(milliseconds: number): void {
    this.#time += milliseconds;
    for (const timer of [...this.#timers]) {
      if (timer.due <= this.#time && this.#timers.delete(timer)) timer.callback();
    }
  }

  /** Lets time pass, one timer after the other, and waits until what each one set off is done. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#time + milliseconds;
    await setImmediate();
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#time = timer.due;
      timer.callback();
      await setImmediate();
    }
    this.#time = end;
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }
}
