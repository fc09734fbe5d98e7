import { type Clock, systemClock } from "../../src/time/clock.js";

/**
 * The clock of this process, which can be advanced. Timers that are then due fire at once. While it is held, no
 * timer fires.
 */
export class SkippingClock implements Clock {
  readonly #timers = new Set<{ readonly due: number; readonly end: () => void }>();
  #skipped = 0;
  #isHeld = false;

  readonly now = (): number => systemClock.now() + this.#skipped;
  readonly monotonic = (): number => systemClock.monotonic() + this.#skipped;

  after(milliseconds: number, callback: () => void): () => void {
    const cancel = (): void => {
      this.#timers.delete(timer);
      cancelReal();
    };
    const end = (): void => {
      cancel();
      callback();
    };
    const timer = { due: this.monotonic() + milliseconds, end };
    const cancelReal = systemClock.after(milliseconds, () => {
      if (!this.#isHeld) end();
    });
    this.#timers.add(timer);
    return cancel;
  }

  hold(): void {
    this.#isHeld = true;
  }

  /** Advances the clock, and no longer holds it. */
  skip(milliseconds: number): void {
    this.#isHeld = false;
    this.#skipped += milliseconds;
    const now = this.monotonic();
    for (const { due, end } of [...this.#timers]) if (due <= now) end();
  }
}
