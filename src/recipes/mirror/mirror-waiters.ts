import { AbortError } from "../../errors/abort-error.js";
import { onAbort } from "../../stream/on-abort.js";
import type { Clock } from "../../time/clock.js";

/** Interval at which the index of a quiet watch is read. */
const POLL_INTERVAL_MS = 20;

interface Waiter {
  readonly index: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Pending calls that wait until a mirror contains everything up to an index. */
export class MirrorWaiters {
  readonly #operation: string;
  readonly #clock: Clock;
  readonly #currentIndex: () => number;
  readonly #waiters = new Set<Waiter>();
  #cancelPoll: (() => void) | undefined;

  /**
   * `operation` is named in the messages of errors. `currentIndex` is polled while calls are pending,
   * because the index of a quiet watch advances without events.
   */
  constructor(operation: string, clock: Clock, currentIndex: () => number) {
    this.#operation = operation;
    this.#clock = clock;
    this.#currentIndex = currentIndex;
  }

  /** Resolves when the index is reached. @throws AbortError */
  add(index: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const remove = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener("abort", abort);
        if (this.#waiters.size === 0) this.#stopPolling();
      };
      const waiter: Waiter = {
        index,
        resolve: () => [remove(), resolve()],
        reject: (error) => [remove(), reject(error)],
      };
      const abort = (): void => waiter.reject(this.#aborted(signal?.reason));
      this.#waiters.add(waiter);
      this.#schedulePoll();
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

  #schedulePoll(): void {
    this.#cancelPoll ??= this.#clock.after(POLL_INTERVAL_MS, () => {
      this.#cancelPoll = undefined;
      this.resolveUpTo(this.#currentIndex());
      if (this.#waiters.size > 0) this.#schedulePoll();
    });
  }

  #stopPolling(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
  }

  #aborted(reason: unknown): AbortError {
    return new AbortError(this.#operation, reason, "none");
  }
}
