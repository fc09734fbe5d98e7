import { spawn } from "node:child_process";
import { exitCodeOfSignal } from "./exit-code.js";

/** A running program that inherits the terminal and pipes of this process. */
export interface Child {
  /** Its exit code; after a signal, 128 plus the number of the signal, as in shells. */
  readonly ended: Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a program. If it cannot be started, `ended` rejects. */
export function runChild(program: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
  const [command = "", ...args] = program;
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", (cause) =>
      reject(new Error(`${command}: cannot be run (${cause.message})`, { cause })),
    );
    child.once("exit", (code, signal) =>
      resolve(signal === null ? (code ?? 0) : exitCodeOfSignal(signal)),
    );
  });
  return { ended, kill: (signal) => void child.kill(signal) };
}
