import { inspect } from "node:util";
import { AdminError } from "../errors/admin-error.js";
import { EtcdServerError } from "../errors/server-error.js";
import { CommandError } from "./command-error.js";
import { exitCodeOf } from "./exit-code.js";

/** Tells why a command failed, in one line on standard error, and by the exit code. */
export function reportFailure(error: unknown, debug = false): void {
  console.error(failureLine(error));
  if (debug) console.error(inspect(error));
  process.exitCode = exitCodeOf(error);
}

/** The line, in etcdctl's words where etcd refused. */
function failureLine(error: unknown): string {
  if (error instanceof EtcdServerError) {
    const { errorCode, reason, detail, index } = error;
    return errorLine(`${errorCode}: ${reason} (${detail}) [${index}]`);
  }
  if (error instanceof AdminError) return error.detail;
  if (error instanceof CommandError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  // What the client calls an option is one of the command line's here.
  return errorLine(message.replaceAll('api: "v3"', "--api v3"));
}

/** etcdctl's form of an error, with both spaces. */
export function errorLine(message: string): string {
  return `Error:  ${message.trim().replace(/\s*\n\s*/g, " ")}`;
}
