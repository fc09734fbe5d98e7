import { ExitCode } from "./exit-code.js";

/**
 * Ends the process silently when the reader of standard output closes the pipe, as with `| head`. Errors of
 * standard error are ignored: a server must outlive the reader of its log.
 */
export function endOnClosedPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(ExitCode.closedPipe);
  });
  process.stderr.on("error", () => {});
}

/** Lets a server outlive the reader of its standard output too. */
export function serveOnClosedPipe(): void {
  process.stdout.removeAllListeners("error").on("error", () => {});
}
