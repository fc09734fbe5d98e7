import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";
import { isTransient } from "./transient-failure.js";

/** Half of it is random, because many clients may wait for the same cluster. */
const MAX_RETRY_DELAY_MS = 400;

/** Repeats a task until etcd is available. @throws AbortError, and every error that is not transient */
export async function retryUntilAvailable<T>(
  task: () => Promise<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await task();
    } catch (error) {
      if (!isTransient(error) || signal.aborted) throw error;
      await sleep((MAX_RETRY_DELAY_MS * (1 + Math.random())) / 2, clock, signal);
    }
  }
}
