import { offAbort, onAbort } from "../stream/on-abort.js";

/** A signal that aborts with the first of several others. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Removes the listeners from the other signals. `AbortSignal.any` would leave them in place. */
  unlink(): void;
}

export function linkSignals(...signals: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  const links = signals.flatMap((signal) => {
    if (signal === undefined) return [];
    const forward = (): void => controller.abort(signal.reason);
    if (signal.aborted) forward();
    else onAbort(signal, forward);
    return [() => offAbort(signal, forward)];
  });
  return {
    signal: controller.signal,
    unlink: () => {
      for (const unlink of links) unlink();
    },
  };
}
