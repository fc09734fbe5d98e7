import type { BackOff } from "./back-off.js";
import type { Clock } from "./clock.js";
import { sleep } from "./sleep.js";

/** When {@link retry} tries again. */
export interface RetryOptions {
  readonly clock: Clock;
  /** Ends the waiting between two attempts. The task has to observe it itself. */
  readonly signal: AbortSignal | undefined;
  /** Delays between the attempts. */
  readonly backOff: BackOff;
  /** @default no limit */
  readonly maxAttempts?: number;
  /** Whether another attempt may succeed after this error. */
  isTransient(error: unknown): boolean;
}

/**
 * Runs a task until it succeeds.
 *
 * @throws AbortError when the signal aborts between two attempts
 * @throws the error of the task if it is not transient, or is the one of the last attempt
 */
export async function retry<T>(task: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, signal, maxAttempts = Number.POSITIVE_INFINITY } = options;
  let { backOff } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await task();
    } catch (error) {
      if (!options.isTransient(error) || attempt >= maxAttempts) throw error;
    }
    backOff = backOff.next();
    await sleep(backOff.delay(), clock, signal);
  }
}
