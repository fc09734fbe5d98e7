import type { Clock } from "../time/clock.js";
import { nextTurn } from "../time/event-loop.js";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until a test advances it. It begins at 2030-01-01T00:00:00Z.
 *
 * @example
 * import { ManualClock } from "etcdnet/testing";
 *
 * const clock = new ManualClock();
 * await clock.advance(31_000);
 */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #time = Date.UTC(2030, 0, 1);

  now(): number {
    return this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { due: this.#time + Math.max(0, milliseconds), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Number of timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Advances the time. Calls each timer that is due at its own time, in order, also timers that are set
   * meanwhile. Lets the event loop turn once after each: that is enough for clients without sockets.
   */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#time + milliseconds;
    await nextTurn();
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#time = timer.due;
      timer.callback();
      await nextTurn();
    }
    this.#time = end;
  }

  /**
   * Sets the time forward, then calls back what is due. A timer that is set meanwhile waits for the next call.
   *
   * @internal
   */
  jump(milliseconds: number): void {
    this.#time += milliseconds;
    for (const timer of [...this.#timers]) {
      if (timer.due <= this.#time && this.#timers.delete(timer)) timer.callback();
    }
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }
}
