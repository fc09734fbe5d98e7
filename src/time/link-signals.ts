import { offAbort, onAbort } from "../stream/on-abort.js";

/** A signal that aborts with the first of several others. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Removes the listeners from the other signals. `AbortSignal.any` would leave them in place. */
  unlink(): void;
}

export function linkSignals(...linked: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  const signals = linked.filter((signal) => signal !== undefined);
  const forward = (): void => controller.abort(signals.find(({ aborted }) => aborted)?.reason);
  for (const signal of signals) onAbort(signal, forward);
  if (signals.some(({ aborted }) => aborted)) forward();
  return {
    signal: controller.signal,
    unlink: () => {
      for (const signal of signals) offAbort(signal, forward);
    },
  };
}
