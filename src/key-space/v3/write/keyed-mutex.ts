import { abortable } from "../../../stream/abortable.js";

/** How a waiting task is aborted. */
interface AbortOptions {
  readonly signal: AbortSignal | undefined;
  errorOf(reason: unknown): Error;
}

/** Runs tasks of one name one after another, and tasks of different names concurrently. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  /** A task aborted while queued never runs; later tasks keep their order. */
  run<T>(name: string, task: () => Promise<T>, { signal, errorOf }: AbortOptions): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const result = abortable(before, signal, errorOf).then(task);
    const settled = Promise.allSettled([before, result]).then(() => {
      if (this.#last.get(name) === settled) this.#last.delete(name);
    });
    this.#last.set(name, settled);
    return result;
  }
}
