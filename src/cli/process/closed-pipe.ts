import { ExitCode } from "./exit-code.js";

/**
 * Ends the process in silence when whoever reads its output has gone, as with `| head`. Who reads its
 * messages may go: a server must not end with the collector of its log.
 */
export function endOnClosedPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(ExitCode.closedPipe);
  });
  process.stderr.on("error", () => {});
}
