import { setTimeout as delay } from "node:timers/promises";
import { type Outcome, type RunOptions, type Started, start } from "../foreign/run.js";

const POLL_EVERY_MS = 20;

const launched: Started[] = [];

/** Starts a program that {@link killAll} ends, if it does not end before. */
export function launch(command: string, args: readonly string[], options?: RunOptions): Started {
  const program = start(command, args, options);
  launched.push(program);
  return program;
}

export async function killAll(): Promise<void> {
  for (const { child } of launched) child.kill("SIGKILL");
  await Promise.all(launched.map(({ ended }) => ended));
}

/** The lines of its standard output that match. */
export function linesOf(program: Started, pattern: RegExp): readonly string[] {
  return program
    .printed()
    .split("\n")
    .filter((line) => pattern.test(line));
}

/**
 * Waits until a program has printed this many more matching lines.
 *
 * @throws Error with its output, when it ends before that
 */
export async function printsMore(program: Started, pattern: RegExp, count = 3): Promise<void> {
  const wanted = linesOf(program, pattern).length + count;
  let outcome: Outcome | undefined;
  void program.ended.then((value) => {
    outcome = value;
  });
  while (linesOf(program, pattern).length < wanted) {
    if (outcome) throw new Error(`the program ended with ${outcome.code}: ${textOf(outcome)}`);
    await delay(POLL_EVERY_MS);
  }
}

/**
 * Tells a program to finish, and waits for it.
 *
 * @throws Error with its output, when it does not end with 0
 */
export async function finish(program: Started): Promise<Outcome> {
  program.child.kill("SIGTERM");
  const outcome = await program.ended;
  if (outcome.code !== 0) {
    throw new Error(`the program ended with ${outcome.code}: ${textOf(outcome)}`);
  }
  return outcome;
}

function textOf({ stdout, stderr }: Outcome): string {
  return `${stdout.slice(-2_000)}\n${stderr.slice(-4_000)}`;
}
