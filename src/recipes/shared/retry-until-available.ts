import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";
import { isTransient } from "./transient-failure.js";

/** Milliseconds between two tries, of which the upper half is random: many may wait for the same. */
const RETRY_DELAY = 400;

/** Does something as soon as etcd can answer. @throws AbortError, and what waiting does not repair */
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
      await sleep((RETRY_DELAY * (1 + Math.random())) / 2, clock, signal);
    }
  }
}
