import { AbortError } from "../errors/abort-error.js";
import { offAbort, onAbort } from "../stream/on-abort.js";
import type { Clock } from "./clock.js";

/** Waits for `milliseconds`. @throws AbortError when the signal aborts */
export function sleep(
  milliseconds: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAborted = (): void => {
      cancel();
      reject(new AbortError("waiting", signal?.reason, "none"));
    };
    const cancel = clock.after(milliseconds, () => {
      offAbort(signal, onAborted);
      resolve();
    });
    if (signal?.aborted === true) onAborted();
    else if (signal !== undefined) onAbort(signal, onAborted);
  });
}
