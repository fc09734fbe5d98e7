import { exitCodeOfSignal } from "./exit-code.js";

/** What ends a process that does not listen to it. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A process, or what stands for one in tests. */
interface Signalled {
  readonly pid: number;
  on(name: NodeJS.Signals, listener: () => void): unknown;
  listenerCount(name: NodeJS.Signals): number;
  exit(code: number): void;
}

/**
 * Has the first process of a container end by signals as any other process does: Linux ignores those
 * that it does not listen to. A command that listens itself decides what happens.
 */
export function endOnSignals(process: Signalled): void {
  if (process.pid !== 1) return;
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (process.listenerCount(name) === 1) process.exit(exitCodeOfSignal(name));
    });
  }
}
