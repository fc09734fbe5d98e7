import { reportFailure } from "./failure.js";
import { eitherFlagOf, flagNames } from "./flag-names.js";

/** Runs a command for two clusters; reports a failure as a line and an exit code. */
export async function withFailureReport(
  debug: boolean | undefined,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    reportFailure(error, debug, flagNames(eitherFlagOf), { name: "", flag: eitherFlagOf });
  }
}
