import { type Clock, socketTimeout } from "../../time/clock.js";
import { linkSignals } from "../../time/link-signals.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";

/** An attempt that its signal can abort. */
type AbortableAttempt<T> = (signal: AbortSignal) => Promise<T>;

interface HedgeOptions {
  /** Milliseconds. */
  readonly delay: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** Abort reason of the other attempt. */
const OTHER_RESULT = new Error("another attempt has a result");

/**
 * Makes a first attempt and, after `delay` without a result, a second one in parallel. Returns
 * the first result, which may be an error from etcd, and aborts the other attempt.
 *
 * @throws AttemptFailure when every started attempt has failed
 */
export function hedge<T>(
  first: AbortableAttempt<T>,
  second: AbortableAttempt<T>,
  { delay, clock, signal }: HedgeOptions,
): Promise<T> {
  const linked = linkSignals(signal);
  return new Promise((resolve, reject) => {
    let running = 0;
    const settle = (finish: () => void): void => {
      cancelTimer();
      finish();
      linked.abort(OTHER_RESULT);
    };
    const start = (attempt: AbortableAttempt<T>): void => {
      running++;
      attempt(linked.signal).then(
        (result) => settle(() => resolve(result)),
        (error: unknown) => {
          running--;
          if (running === 0 || !(error instanceof AttemptFailure)) settle(() => reject(error));
        },
      );
    };
    const cancelTimer = socketTimeout(clock, delay, () => start(second));
    start(first);
  });
}
