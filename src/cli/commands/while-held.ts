import { once } from "node:events";
import { runChild } from "../process/child.js";
import type { Interrupt } from "../process/interrupt.js";

/** Runs a program while a lock or a registration is held. Without a program, waits for a signal. */
export async function whileHeld(
  held: AbortSignal,
  interrupt: Interrupt,
  program: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (program.length === 0) await either(held, interrupt.signal);
  else process.exitCode = await runWhileHeld(held, interrupt, program, env);
  if (held.aborted) throw held.reason;
}

/** Runs the program, forwards signals, waits for its end and returns its exit code. */
async function runWhileHeld(
  held: AbortSignal,
  interrupt: Interrupt,
  program: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const child = runChild(program, env);
  held.addEventListener("abort", () => child.kill("SIGTERM"));
  interrupt.signal.addEventListener("abort", () => {
    // The terminal sends Ctrl-C to the program too.
    if (interrupt.signal.reason !== "SIGINT" || !process.stdin.isTTY) {
      child.kill(interrupt.signal.reason);
    }
  });
  return child.ended;
}

async function either(...signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  if (any.aborted) return;
  // Listeners of an AbortSignal do not keep the process running.
  const alive = setInterval(() => {}, 2 ** 30);
  await once(any, "abort");
  clearInterval(alive);
}
