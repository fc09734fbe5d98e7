/** What the process was told by the system to do: end. */
export interface Interrupt extends Disposable {
  /** Aborts with the first of the signals, its reason being that signal's name. */
  readonly signal: AbortSignal;
}

/**
 * Listens to signals for a while, so that what is held can be given up in order. The second signal
 * ends the process, as always.
 */
export function untilInterrupted(...names: readonly NodeJS.Signals[]): Interrupt {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => {
    stop();
    controller.abort(name);
  };
  const stop = (): void => {
    for (const name of names) process.off(name, interrupt);
  };
  for (const name of names) process.on(name, interrupt);
  return { signal: controller.signal, [Symbol.dispose]: stop };
}
