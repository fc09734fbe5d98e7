/** The listeners of each signal. */
const listenersOf = new WeakMap<AbortSignal, Listeners>();

interface Listeners {
  readonly all: Set<() => void>;
  readonly notify: () => void;
}

/**
 * Calls `listener` when the signal aborts, unless {@link offAbort} removes it before. `listener` must not throw.
 *
 * All calls of a program often share one signal. To add or remove a listener of an `EventTarget`, Node searches
 * all others. Here a signal has one listener for any number of callers.
 */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  const known = listenersOf.get(signal);
  if (known !== undefined) {
    known.all.add(listener);
    return;
  }
  const all = new Set([listener]);
  const notify = (): void => {
    for (const each of all) each();
  };
  listenersOf.set(signal, { all, notify });
  signal.addEventListener("abort", notify, { once: true });
}

/** Removes a listener that {@link onAbort} has added. */
export function offAbort(signal: AbortSignal | undefined, listener: () => void): void {
  if (signal === undefined) return;
  const known = listenersOf.get(signal);
  if (known?.all.delete(listener) !== true || known.all.size > 0) return;
  listenersOf.delete(signal);
  signal.removeEventListener("abort", known.notify);
}
