import { nextTurn } from "../../time/event-loop.js";

/**
 * Schedules long work: one portion in each turn of the event loop, in order of arrival. Other work runs
 * between two portions.
 */
export class TurnScheduler {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  /** Resolves when the caller may do its next portion; at once if no other portion ran in this turn. */
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
