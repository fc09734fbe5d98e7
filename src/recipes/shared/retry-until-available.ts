import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";
import { retry } from "../../time/retry.js";
import { isTransient } from "./transient-failure.js";

const MAX_RETRY_DELAY_MS = 400;

/** Repeats a task until etcd is available. @throws AbortError, and every error that is not transient */
export function retryUntilAvailable<T>(
  task: () => Promise<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  return retry(task, { clock, signal, isTransient, backOff: BackOff.constant(MAX_RETRY_DELAY_MS) });
}
