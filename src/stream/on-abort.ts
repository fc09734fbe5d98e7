import { setMaxListeners } from "node:events";

/**
 * Listens for the abort of a signal. All calls of a program often share one signal, so Node's
 * warning about many listeners is disabled.
 */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  setMaxListeners(0, signal);
  signal.addEventListener("abort", listener);
}
