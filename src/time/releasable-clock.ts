import type { Clock } from "./clock.js";
import { clearTimeout, monotonicNow, setTimeout, wallNow } from "./event-loop.js";

/** The clock of this process. Its timers keep the process alive until `unref` is called. */
export class ReleasableClock implements Clock {
  readonly #timers = new Set<NodeJS.Timeout>();
  #isUnref = false;

  now(): number {
    return wallNow();
  }

  monotonic(): number {
    return monotonicNow();
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, milliseconds);
    this.#timers.add(timer);
    if (this.#isUnref) timer.unref();
    return () => {
      this.#timers.delete(timer);
      clearTimeout(timer);
    };
  }

  /** From now on, no timer keeps the process alive. */
  unref(): void {
    this.#isUnref = true;
    for (const timer of this.#timers) timer.unref();
  }
}
