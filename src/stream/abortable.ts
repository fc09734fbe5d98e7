import { offAbort, onAbort } from "./on-abort.js";

/**
 * Waits for a promise until the signal aborts. Does not cancel the promise: others may wait too.
 */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  errorOf: (reason: unknown) => Error,
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAborted = (): void => reject(errorOf(signal.reason));
    const removeListener = (): void => offAbort(signal, onAborted);
    onAbort(signal, onAborted);
    promise.finally(removeListener).then(resolve, reject);
    if (signal.aborted) onAborted();
  });
}
