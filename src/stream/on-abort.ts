type Listener = () => void;

/** The listeners of each signal. */
const listenersOf = new WeakMap<AbortSignal, Listeners>();

/** The listeners of one signal. */
class Listeners {
  /** One listener, or several. Most signals have one, and a set takes several times its memory. */
  #all: Listener | Set<Listener>;

  constructor(first: Listener) {
    this.#all = first;
  }

  add(listener: Listener): void {
    if (typeof this.#all === "function") this.#all = new Set([this.#all]);
    this.#all.add(listener);
  }

  /** @returns whether no listener is left */
  delete(listener: Listener): boolean {
    if (typeof this.#all === "function") return this.#all === listener;
    this.#all.delete(listener);
    return this.#all.size === 0;
  }

  /** Called by the signal. */
  handleEvent(): void {
    if (typeof this.#all === "function") this.#all();
    else for (const listener of this.#all) listener();
  }
}

/**
 * Calls `listener` when the signal aborts, unless {@link offAbort} removes it before. `listener` must not throw.
 *
 * All calls of a program often share one signal. To add or remove a listener of an `EventTarget`, Node searches
 * all others. Here a signal has one listener for any number of callers.
 */
export function onAbort(signal: AbortSignal, listener: Listener): void {
  const known = listenersOf.get(signal);
  if (known !== undefined) {
    known.add(listener);
    return;
  }
  const listeners = new Listeners(listener);
  listenersOf.set(signal, listeners);
  signal.addEventListener("abort", listeners, { once: true });
}

/** Removes a listener that {@link onAbort} has added. */
export function offAbort(signal: AbortSignal | undefined, listener: Listener): void {
  if (signal === undefined) return;
  const known = listenersOf.get(signal);
  if (known?.delete(listener) !== true) return;
  listenersOf.delete(signal);
  signal.removeEventListener("abort", known);
}
