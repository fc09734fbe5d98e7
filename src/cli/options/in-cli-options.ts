import { TargetInUseError, TransferRefusedError } from "../../errors/migration-errors.js";

/** Runs a command; replaces the names of library options in errors with those of the command line. */
export async function inCliOptions(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof TargetInUseError || error instanceof TransferRefusedError)) throw error;
    const message = error.message
      .replace("with overwrite", "with --overwrite")
      .replace("With lossy", "With --lossy")
      .replace(/^prefix:/, "--prefix:")
      .replace(/^toPrefix:/, "--to-prefix:");
    throw new Error(message, { cause: error });
  }
}
