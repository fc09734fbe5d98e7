import { ExitCode } from "./exit-code.js";
import { errorLine } from "./failure.js";
import { note } from "./print.js";

/**
 * Ends the process silently when the reader of standard output closes the pipe, as with `| head`, and with an
 * error when it cannot be written for another reason, such as a full disk. Errors of standard error are
 * ignored: a server must outlive the reader of its log.
 */
export function endOnClosedPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(ExitCode.closedPipe);
    note(errorLine(`standard output: ${error.message}`));
    process.exit(ExitCode.invalidUsage);
  });
  process.stderr.on("error", () => {});
}

/** Lets a server outlive the reader of its standard output too. */
export function serveOnClosedPipe(): void {
  process.stdout.removeAllListeners("error").on("error", () => {});
}
