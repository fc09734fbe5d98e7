import { inspect } from "node:util";
import { AbortError } from "../errors/abort-error.js";
import type { Clock } from "../time/clock.js";
import { follow } from "../time/follow.js";

interface Limits {
  /** Milliseconds; absent: without end. */
  readonly timeout?: number | undefined;
  /** What to throw when they have passed. */
  late?(timeout: number): Error;
  readonly signals: readonly (AbortSignal | undefined)[];
}

/** Does something that ends with a signal, and gives it one that aborts when the time is up, too. */
export async function withDeadline<T>(
  clock: Clock,
  { timeout, late, signals }: Limits,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const cancel = startTimer(clock, timeout, () => deadline.abort());
  const any = follow(...signals, deadline.signal);
  try {
    return await task(any.signal);
  } catch (error) {
    const isLate = deadline.signal.aborted && error instanceof AbortError;
    throw (isLate && timeout !== undefined && late?.(timeout)) || error;
  } finally {
    cancel();
    any.letGo();
  }
}

function startTimer(clock: Clock, timeout: number | undefined, onTime: () => void): () => void {
  if (timeout === undefined) return () => {};
  if (!Number.isInteger(timeout) || timeout < 0 || timeout >= 2 ** 31) {
    throw new TypeError(
      `timeout: must be a whole number of milliseconds below 2^31, not ${inspect(timeout)}`,
    );
  }
  return clock.after(timeout, onTime);
}
