import { reportFailure } from "./failure.js";

/** Runs what a command between two clusters does; a failure becomes a line and an exit code. */
export async function failuresReported(
  debug: boolean | undefined,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    reportFailure(error, debug, ["from-", "to-"]);
  }
}
