import { type Clock, systemClock } from "../../src/time/clock.js";

/**
 * The clock of this process, which can be advanced. Timers that are then due fire at once. While it is held, its
 * time stands still and no timer fires.
 */
export class SkippingClock implements Clock {
  readonly #timers = new Set<{ readonly due: number; readonly end: () => void }>();
  #skipped = 0;
  /** Monotonic time of the system at which it was held. */
  #heldAt: number | undefined;

  readonly now = (): number => systemClock.now() + this.#skipped - this.#heldFor;
  readonly monotonic = (): number => systemClock.monotonic() + this.#skipped - this.#heldFor;

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
      if (this.#heldAt === undefined) end();
    });
    this.#timers.add(timer);
    return cancel;
  }

  hold(): void {
    this.#heldAt = systemClock.monotonic();
  }

  /** Advances the clock, and no longer holds it. */
  skip(milliseconds: number): void {
    this.#skipped += milliseconds - this.#heldFor;
    this.#heldAt = undefined;
    const now = this.monotonic();
    for (const { due, end } of [...this.#timers]) if (due <= now) end();
  }

  get #heldFor(): number {
    return this.#heldAt === undefined ? 0 : systemClock.monotonic() - this.#heldAt;
  }
}
