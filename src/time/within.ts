import { type Clock, deadline } from "./clock.js";

interface Limits {
  readonly milliseconds: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Why the wait ended when the time was up. */
  onTimeout(): Error;
  /** Why the wait ended when the signal aborted. */
  onAbort(reason: unknown): Error;
}

/** Waits for a promise within limits. What it promises goes on all the same. */
export function withTimeout<T>(promise: Promise<T>, limits: Limits): Promise<T> {
  const { milliseconds, clock, signal } = limits;
  return new Promise((resolve, reject) => {
    const give = (): void => settle(() => reject(limits.onAbort(signal.reason)));
    const settle = (finish: () => void): void => {
      cancel();
      signal.removeEventListener("abort", give);
      finish();
    };
    const cancel = deadline(clock, milliseconds, () => settle(() => reject(limits.onTimeout())));
    signal.addEventListener("abort", give);
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: Error) => settle(() => reject(error)),
    );
    if (signal.aborted) give();
  });
}
