import { AbortError } from "../../errors/abort-error.js";
import { offAbort, onAbort } from "../../stream/on-abort.js";

interface Waiter {
  readonly index: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Pending calls that wait until a mirror contains everything up to an index. */
export class MirrorWaiters {
  readonly #operation: string;
  readonly #waiters = new Set<Waiter>();

  /** `operation` is named in the messages of errors. */
  constructor(operation: string) {
    this.#operation = operation;
  }

  /** Resolves when the index is reached. @throws AbortError */
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
      const abort = (): void => waiter.reject(this.#aborted(signal?.reason));
      this.#waiters.add(waiter);
      if (signal?.aborted) abort();
      else if (signal !== undefined) onAbort(signal, abort);
    });
  }

  /** Resolves the calls that wait for this index or a lower one. */
  resolveUpTo(index: number): void {
    for (const waiter of [...this.#waiters]) if (waiter.index <= index) waiter.resolve();
  }

  /** Rejects all pending calls, because their index cannot be reached. */
  rejectAll(reason: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.reject(this.#aborted(reason));
  }

  #aborted(reason: unknown): AbortError {
    return new AbortError(this.#operation, reason, "none");
  }
}
