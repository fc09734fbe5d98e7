import { exitCodeOfSignal } from "./exit-code.js";

/** Signals that end a process without a listener. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A process, or a fake of one in tests. */
interface Signalled {
  readonly pid: number;
  on(name: NodeJS.Signals, listener: () => void): unknown;
  listenerCount(name: NodeJS.Signals): number;
  exit(code: number): void;
}

/**
 * Lets signals end the first process of a container like any other process: Linux ignores signals to it
 * that have no listener. A command with its own listener decides what happens.
 */
export function endOnSignals(process: Signalled): void {
  if (process.pid !== 1) return;
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (process.listenerCount(name) === 1) process.exit(exitCodeOfSignal(name));
    });
  }
}
