import { AbortError } from "../errors/abort-error.js";
import { onAbort } from "../stream/on-abort.js";
import type { Clock } from "./clock.js";

/** Waits. @throws AbortError as soon as the signal aborts */
export function sleep(
  milliseconds: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = (): void => {
      cancel();
      reject(new AbortError("waiting", signal?.reason, "none"));
    };
    const cancel = clock.after(milliseconds, () => {
      signal?.removeEventListener("abort", wake);
      resolve();
    });
    if (signal?.aborted === true) wake();
    else if (signal !== undefined) onAbort(signal, wake);
  });
}
