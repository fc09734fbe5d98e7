import { offAbort, onAbort } from "./on-abort.js";

/** Runs a limited number of tasks at a time, in the order of the calls. */
export class Limiter {
  #free: number;
  /** Functions that start the tasks that wait, in order. */
  readonly #waiting = new Set<() => void>();

  /** @param limit maximum number of tasks that run at the same time */
  constructor(limit: number) {
    this.#free = limit;
  }

  /** @param signal starts a task that waits at once; the task must reject when it is aborted */
  async run<T>(task: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (this.#free > 0) this.#free--;
    else if (!(await this.#turn(signal))) return await task();
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  /** Waits for a turn. @returns false when the signal has aborted before */
  #turn(signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const start = (): void => finish(true);
      const onAborted = (): void => finish(false);
      const finish = (isTurn: boolean): void => {
        this.#waiting.delete(start);
        offAbort(signal, onAborted);
        resolve(isTurn);
      };
      this.#waiting.add(start);
      if (signal !== undefined) onAbort(signal, onAborted);
      if (signal?.aborted === true) onAborted();
    });
  }

  /** Gives the place to the next task. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free++;
    else next();
  }
}
