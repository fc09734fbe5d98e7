import { nextTurn } from "../../time/event-loop.js";

/**
 * Lets long work be done one portion in each turn of the event loop, first come, first served. What
 * takes no turn is served between two portions.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  /** Resolves when the caller may do its next portion, at once when nobody else did one just now. */
  async next(): Promise<void> {
    if (this.#isTaken) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return;
    }
    this.#isTaken = true;
    void nextTurn().then(this.#pass);
  }

  readonly #pass = (): void => {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#isTaken = false;
      return;
    }
    next();
    void nextTurn().then(this.#pass);
  };
}
