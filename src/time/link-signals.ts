import { offAbort, onAbort } from "../stream/on-abort.js";

/** A signal that aborts with the first of several others, or by its own {@link LinkedSignal.abort}. */
export class LinkedSignal {
  readonly #controller = new AbortController();
  readonly #others: readonly AbortSignal[];

  constructor(others: readonly (AbortSignal | undefined)[]) {
    this.#others = others.filter((signal) => signal !== undefined);
    for (const other of this.#others) onAbort(other, this.#forward);
    if (this.#others.some(({ aborted }) => aborted)) this.#forward();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts this signal alone, and unlinks it. */
  abort(reason: unknown): void {
    this.unlink();
    this.#controller.abort(reason);
  }

  /** Removes the listeners from the other signals. `AbortSignal.any` would leave them in place. */
  unlink(): void {
    for (const other of this.#others) offAbort(other, this.#forward);
  }

  readonly #forward = (): void => {
    this.#controller.abort(this.#others.find(({ aborted }) => aborted)?.reason);
  };
}

export function linkSignals(...others: readonly (AbortSignal | undefined)[]): LinkedSignal {
  return new LinkedSignal(others);
}
