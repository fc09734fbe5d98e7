import { offAbort, onAbort } from "../stream/on-abort.js";
import { type Clock, socketTimeout } from "./clock.js";

interface Limits {
  readonly milliseconds: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** Creates the error for a timeout. */
  onTimeout(): Error;
  /** Creates the error for an abort. */
  onAbort(reason: unknown): Error;
}

/** Waits for a promise until a timeout or an abort. Does not cancel the work behind the promise. */
export function withTimeout<T>(promise: Promise<T>, limits: Limits): Promise<T> {
  const { milliseconds, clock, signal } = limits;
  return new Promise((resolve, reject) => {
    const onAborted = (): void => settle(() => reject(limits.onAbort(signal?.reason)));
    const settle = (finish: () => void): void => {
      cancel();
      offAbort(signal, onAborted);
      finish();
    };
    const cancel = socketTimeout(clock, milliseconds, () =>
      settle(() => reject(limits.onTimeout())),
    );
    if (signal !== undefined) onAbort(signal, onAborted);
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: Error) => settle(() => reject(error)),
    );
    if (signal?.aborted === true) onAborted();
  });
}
