import { type Clock, deadline } from "../../time/clock.js";

/** A number that increases, and callers that wait for it to reach a value. */
export class Watermark {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #reached = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get reached(): number {
    return this.#reached;
  }

  /** Sets the number; it may also start again. */
  set(reached: number): void {
    this.#reached = reached;
    for (const check of this.#waiting) check();
  }

  /** Resolves when the number is reached, or after the timeout in milliseconds. */
  until(number: number, timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#waiting.delete(check);
        resolve();
      };
      const check = (): void => {
        if (this.#reached >= number) done();
      };
      const cancel = deadline(this.#clock, timeout, done);
      this.#waiting.add(check);
      check();
    });
  }
}
