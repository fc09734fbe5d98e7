import { AbortError } from "../../errors/abort-error.js";
import { onAbort } from "../../stream/on-abort.js";
import type { Clock } from "../../time/clock.js";

/** Milliseconds between two looks at how far a quiet watch has come. */
const LOOK_INTERVAL = 20;

interface Waiter {
  readonly index: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Those who wait until a mirror holds everything up to some index. */
export class MirrorWaiters {
  readonly #operation: string;
  readonly #clock: Clock;
  readonly #indexNow: () => number;
  readonly #waiters = new Set<Waiter>();
  #cancelLook: (() => void) | undefined;

  /**
   * `operation` is what messages say was given up. `indexNow` is asked again and again while somebody
   * waits: a quiet watch moves on without a word.
   */
  constructor(operation: string, clock: Clock, indexNow: () => number) {
    this.#operation = operation;
    this.#clock = clock;
    this.#indexNow = indexNow;
  }

  /** Resolves when the index is reached. @throws AbortError */
  add(index: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener("abort", abort);
        if (this.#waiters.size === 0) this.#stopLooking();
      };
      const waiter: Waiter = {
        index,
        resolve: () => [leave(), resolve()],
        reject: (error) => [leave(), reject(error)],
      };
      const abort = (): void => waiter.reject(this.#aborted(signal?.reason));
      this.#waiters.add(waiter);
      this.#lookLater();
      if (signal?.aborted) abort();
      else if (signal !== undefined) onAbort(signal, abort);
    });
  }

  /** Everything up to the index is there. */
  reach(index: number): void {
    for (const waiter of [...this.#waiters]) if (waiter.index <= index) waiter.resolve();
  }

  /** What they wait for will not come. */
  giveUp(reason: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.reject(this.#aborted(reason));
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#clock.after(LOOK_INTERVAL, () => {
      this.#cancelLook = undefined;
      this.reach(this.#indexNow());
      if (this.#waiters.size > 0) this.#lookLater();
    });
  }

  #stopLooking(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #aborted(reason: unknown): AbortError {
    return new AbortError(this.#operation, reason, "none");
  }
}
