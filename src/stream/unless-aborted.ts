import { onAbort } from "./on-abort.js";

/** Waits for what others may be waiting for, too: it goes on when this one gives up. */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  errorOf: (reason: unknown) => Error,
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const give = (): void => reject(errorOf(signal.reason));
    const settled = (): void => signal.removeEventListener("abort", give);
    onAbort(signal, give);
    promise.finally(settled).then(resolve, reject);
    if (signal.aborted) give();
  });
}
