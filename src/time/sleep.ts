import { AbortError } from "../errors/abort-error.js";
import type { Clock } from "./clock.js";

/** Waits. @throws AbortError as soon as the signal aborts */
export function sleep(
  milliseconds: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      reject(new AbortError(signal?.reason, "none"));
    };
    const cancel = clock.after(milliseconds, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}
