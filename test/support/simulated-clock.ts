import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/time/clock.js";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that the test advances. Timers run one by one, each after the callbacks of the previous one. */
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
