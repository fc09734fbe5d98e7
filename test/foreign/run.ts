/** Programs that talk to servers of this process, which must therefore not wait for them blocked. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { plainEnvironment } from "../support/plain-environment.js";

export interface Outcome {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string;
  /** What its standard input says. @default nothing */
  readonly input?: string;
  /** Leave its standard input open. */
  readonly keepInput?: boolean;
}

/** More than any takes; then it is killed. */
const LIMIT_MS = 150_000;

/** Runs a program to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  return start(command, args, options).ended;
}

/** A program that may have to be told to end. */
export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** What it wrote to its standard output until now. */
  printed(): string;
}

export function start(
  command: string,
  args: readonly string[],
  { env, cwd, input = "", keepInput = false }: RunOptions = {},
): Started {
  const child = spawn(command, args, {
    cwd,
    env: { ...plainEnvironment(), ...env },
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  child.stdin.on("error", () => {});
  if (!keepInput) child.stdin.end(input);
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  const ended = once(child, "close").then(([code]) => ({
    code,
    stdout: stdout(),
    stderr: stderr(),
  }));
  return { child, ended, printed: stdout };
}

function textOf(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  return () => text;
}
