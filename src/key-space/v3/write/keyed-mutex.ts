import { abortable } from "../../../stream/unless-aborted.js";

/** How a task is given up that waits for its turn. */
interface Patience {
  readonly signal: AbortSignal | undefined;
  errorOf(reason: unknown): Error;
}

/** Runs tasks of one name one after the other, and tasks of different names side by side. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whoever is given up before its turn does not let others pass. */
  run<T>(name: string, task: () => Promise<T>, { signal, errorOf }: Patience): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const result = abortable(before, signal, errorOf).then(task);
    const settled = Promise.allSettled([before, result]).then(() => {
      if (this.#last.get(name) === settled) this.#last.delete(name);
    });
    this.#last.set(name, settled);
    return result;
  }
}
