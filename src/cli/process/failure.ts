import { inspect } from "node:util";
import { AdminError } from "../../errors/admin-error.js";
import { EtcdServerError } from "../../errors/server-error.js";
import { CommandError } from "./command-error.js";
import { exitCodeOf } from "./exit-code.js";

const ONE_CLUSTER: readonly string[] = [""];

/** Options in the messages of the library, and the same options of the command line. */
const OPTIONS: readonly (readonly [string, string])[] = [
  ['api: "v3"', "--api v3"],
  ["username and password", "--username and --password-file"],
  ["certificate authority as ca", "certificate authority as --cacert"],
];

/** Reports why a command failed: one line on standard error, and the exit code. */
export function reportFailure(error: unknown, debug = false, sides = ONE_CLUSTER): void {
  console.error(failureLine(error, sides));
  if (debug) console.error(inspect(error));
  process.exitCode = exitCodeOf(error);
}

/** The line. An error of etcd is printed as etcdctl prints it. */
function failureLine(error: unknown, sides: readonly string[]): string {
  if (error instanceof EtcdServerError) {
    const { errorCode, reason, detail, index } = error;
    return errorLine(`${errorCode}: ${reason} (${detail}) [${index}]`);
  }
  if (error instanceof AdminError) return error.detail;
  if (error instanceof CommandError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return errorLine(inOptions(message, sides));
}

/** Replaces the names of client options with those of the command line, for each of the clusters. */
function inOptions(message: string, sides: readonly string[]): string {
  return OPTIONS.reduce((text, [words, option]) => {
    const named = sides.map((side) => option.replaceAll("--", `--${side}`)).join(" or ");
    return text.replaceAll(words, named);
  }, message);
}

/** etcdctl's format of an error, with two spaces. */
export function errorLine(message: string): string {
  const lines = message.split("\n").map((line) => line.trim());
  return `Error:  ${lines.filter((line) => line !== "").join(" ")}`;
}
