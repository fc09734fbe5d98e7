import { offAbort, onAbort } from "../stream/on-abort.js";
import type { Clock } from "./clock.js";

/** How many tasks start at the same time. */
export interface LimiterSettings {
  /** Maximum number of tasks that have a place. */
  readonly places: number;
  /** Milliseconds after which a task that still runs gives its place to the next one. */
  readonly hold: number;
  readonly clock: Clock;
}

/** Starts a limited number of tasks at a time, in the order of the calls. */
export class Limiter {
  readonly #settings: LimiterSettings;
  #free: number;
  /** Functions that start the tasks that wait, in order. */
  readonly #waiting = new Set<() => void>();

  constructor(settings: LimiterSettings) {
    this.#settings = settings;
    this.#free = settings.places;
  }

  /** @param signal starts a task that waits at once; the task must reject when it is aborted */
  async run<T>(task: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (this.#free > 0) this.#free--;
    else if (!(await this.#turn(signal))) return await task();
    const { hold, clock } = this.#settings;
    let hasPlace = true;
    const leave = (): void => {
      if (hasPlace) this.#leave();
      hasPlace = false;
    };
    const cancel = clock.after(hold, leave);
    try {
      return await task();
    } finally {
      cancel();
      leave();
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
