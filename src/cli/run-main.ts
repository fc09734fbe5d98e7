import { endOnClosedPipe } from "./process/closed-pipe.js";
import { endOnSignals } from "./process/end-on-signals.js";
import { runProgram } from "./program.js";

/** Runs the command that the arguments of this process name. */
export async function runMain(): Promise<void> {
  // Hides the arguments from other users of the system: they may contain a password.
  process.title = "etcdnet";
  endOnClosedPipe();
  endOnSignals(process);
  await runProgram(process.argv.slice(2));
}
