import { inspect } from "node:util";
import { AbortError } from "../../errors/abort-error.js";
import { OptionError } from "../../errors/option-error.js";
import { type Clock, MAX_TIMER_MS, socketTimeout } from "../../time/clock.js";
import { linkSignals } from "../../time/link-signals.js";

interface Limits {
  /** The operation that an `AbortError` names. */
  readonly operation: string;
  /** Milliseconds; absent: no limit. */
  readonly timeout?: number | undefined;
  /** Creates the error to throw after the timeout. */
  timeoutError?(timeout: number): Error;
  readonly signals: readonly (AbortSignal | undefined)[];
}

/** Runs a task with a signal that aborts with any of `signals` and after the timeout. */
export async function withDeadline<T>(
  clock: Clock,
  { operation, timeout, timeoutError, signals }: Limits,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const expiry = new AbortController();
  const cancel = startTimer(clock, timeout, () => expiry.abort());
  const any = linkSignals(...signals, expiry.signal);
  try {
    return await task(any.signal);
  } catch (error) {
    // After an abort, the abort is the reason of every error: a closed client refuses requests.
    if (!any.signal.aborted) throw error;
    if (expiry.signal.aborted && timeout !== undefined && timeoutError !== undefined) {
      throw timeoutError(timeout);
    }
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
  if (!Number.isInteger(timeout) || timeout < 0 || timeout > MAX_TIMER_MS) {
    throw new OptionError(
      "timeout",
      `must be a whole number of milliseconds below 2^31, not ${inspect(timeout)}`,
    );
  }
  return socketTimeout(clock, timeout, onTime);
}
