import type { Clock } from "../../../src/time/clock.js";

/** The clock of a process that can be paused. A paused process runs no timers; afterwards it sees that time has passed. */
export class PausableClock implements Clock {
  readonly #clock: Clock;
  /** What was due during the pause. */
  #due: Set<() => void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(milliseconds: number, callback: () => void): () => void {
    let isCancelled = false;
    const run = (): void => {
      if (!isCancelled) callback();
    };
    const cancel = this.#clock.after(milliseconds, () => {
      if (this.#due === undefined) run();
      else this.#due.add(run);
    });
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  pause(): void {
    this.#due ??= new Set();
  }

  resume(): void {
    const due = this.#due ?? [];
    this.#due = undefined;
    for (const run of due) run();
  }
}
