/** Reports an interruption of the process by a signal. */
export interface Interrupt extends Disposable {
  /** Aborts at the first signal; the reason is the name of the signal. */
  readonly signal: AbortSignal;
}

/**
 * Listens for signals until disposed, so that a command can release its locks before it ends. A second
 * signal ends the process.
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
