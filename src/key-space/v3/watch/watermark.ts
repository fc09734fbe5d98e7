import { type Clock, deadline } from "../../../time/clock.js";

/** A number that rises, and those who wait until it has. */
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

  /** Takes note of how far it is; it may also begin anew. */
  set(reached: number): void {
    this.#reached = reached;
    for (const look of this.#waiting) look();
  }

  /** Resolves when the number is reached, or after so many milliseconds. */
  until(number: number, patience: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (this.#reached >= number) done();
      };
      const cancel = deadline(this.#clock, patience, done);
      this.#waiting.add(look);
      look();
    });
  }
}
