import { spawn } from "node:child_process";
import { exitCodeOfSignal } from "./exit-code.js";

/** A program that was started, on this process's terminal and pipes. */
export interface Child {
  /** Its exit code; for one that a signal ended, 128 and the signal's number, as shells have it. */
  readonly ended: Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a program. @throws Error when there is no such program, by `ended` */
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
