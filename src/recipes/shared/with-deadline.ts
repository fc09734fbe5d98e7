import { inspect } from "node:util";
import { AbortError } from "../../errors/abort-error.js";
import { type Clock, deadline } from "../../time/clock.js";
import { linkSignals } from "../../time/follow.js";

interface Limits {
  /** What is said to be given up. */
  readonly operation: string;
  /** Milliseconds; absent: without end. */
  readonly timeout?: number | undefined;
  /** What to throw when they have passed. */
  late?(timeout: number): Error;
  readonly signals: readonly (AbortSignal | undefined)[];
}

/** Does something that ends with a signal, and gives it one that aborts when the time is up, too. */
export async function withDeadline<T>(
  clock: Clock,
  { operation, timeout, late, signals }: Limits,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const expiry = new AbortController();
  const cancel = startTimer(clock, timeout, () => expiry.abort());
  const any = linkSignals(...signals, expiry.signal);
  try {
    return await task(any.signal);
  } catch (error) {
    // Once it is given up, that is why it fails, whatever with: a closed client refuses requests.
    if (!any.signal.aborted) throw error;
    if (expiry.signal.aborted && timeout !== undefined && late !== undefined) throw late(timeout);
    throw error instanceof AbortError
      ? error
      : new AbortError(operation, any.signal.reason, "none");
  } finally {
    cancel();
    any.unlink();
  }
}

function startTimer(clock: Clock, timeout: number | undefined, onTime: () => void): () => void {
  if (timeout === undefined) return () => {};
  if (!Number.isInteger(timeout) || timeout < 0 || timeout >= 2 ** 31) {
    throw new TypeError(
      `timeout: must be a whole number of milliseconds below 2^31, not ${inspect(timeout)}`,
    );
  }
  return deadline(clock, timeout, onTime);
}
