import { ExitCode } from "./exit-code.js";

/** Ends the process in silence when whoever reads its output has gone, as with `| head`. */
export function endOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(ExitCode.closedPipe);
    });
  }
}
