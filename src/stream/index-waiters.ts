import { AbortError } from "../errors/abort-error.js";
import { offAbort, onAbort } from "./on-abort.js";

interface Waiter {
  readonly index: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Pending calls that wait until an index is reached. */
export class IndexWaiters {
  readonly #operation: string;
  readonly #waiters = new Set<Waiter>();

  /** `operation` is named in the messages of errors. */
  constructor(operation: string) {
    this.#operation = operation;
  }

  /** Number of pending calls. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves when the index is reached. @throws AbortError when the signal aborts */
  add(index: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const remove = (): void => {
        this.#waiters.delete(waiter);
        offAbort(signal, abort);
      };
      const waiter: Waiter = {
        index,
        resolve: () => [remove(), resolve()],
        reject: (error) => [remove(), reject(error)],
      };
      const abort = (): void => waiter.reject(this.abortError(signal?.reason));
      this.#waiters.add(waiter);
      if (signal?.aborted) abort();
      else if (signal !== undefined) onAbort(signal, abort);
    });
  }

  /** Resolves the calls that wait for this index or a lower one. */
  resolveUpTo(index: number): void {
    for (const waiter of this.#waiters) if (waiter.index <= index) waiter.resolve();
  }

  /** Rejects all pending calls, because their index cannot be reached. */
  rejectAll(error: Error): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }

  abortError(reason: unknown): AbortError {
    return new AbortError(this.#operation, reason, "none");
  }
}
