import { setMaxListeners } from "node:events";

/**
 * Listens for a signal's abort. A signal is often shared by all calls of a program: Node is told
 * that many listeners on it are no leak.
 */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  setMaxListeners(0, signal);
  signal.addEventListener("abort", listener);
}
