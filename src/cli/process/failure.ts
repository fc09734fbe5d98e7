import { inspect } from "node:util";
import { AdminError } from "../../errors/admin-error.js";
import { EtcdServerError } from "../../errors/server-error.js";
import { CommandError } from "./command-error.js";
import { exitCodeOf } from "./exit-code.js";

const NO_PREFIX: readonly string[] = [""];

/** Options in messages of the library, and the corresponding options of the command line. */
const OPTIONS: readonly (readonly [string, string])[] = [
  ['api: "v3"', "--api v3"],
  ["username and password", "--username and --password-file"],
  ["certificate authority as ca", "certificate authority as --cacert"],
];

/** Reports why a command failed: one line on standard error, and the exit code. */
export function reportFailure(error: unknown, debug = false, prefixes = NO_PREFIX): void {
  console.error(failureLine(error, prefixes));
  if (debug) console.error(inspect(error));
  process.exitCode = exitCodeOf(error);
}

/** The line to print. An error of etcd has the format of etcdctl. */
function failureLine(error: unknown, prefixes: readonly string[]): string {
  if (error instanceof EtcdServerError) {
    const { errorCode, reason, detail, index } = error;
    return errorLine(`${errorCode}: ${reason} (${detail}) [${index}]`);
  }
  if (error instanceof AdminError) return error.detail;
  if (error instanceof CommandError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return errorLine(inOptions(message, prefixes));
}

/** Replaces the names of client options with those of the command line, with each of the prefixes. */
function inOptions(message: string, prefixes: readonly string[]): string {
  return OPTIONS.reduce((text, [words, option]) => {
    const named = prefixes.map((prefix) => option.replaceAll("--", `--${prefix}`)).join(" or ");
    return text.replaceAll(words, named);
  }, message);
}

/** etcdctl's format of an error, with two spaces. */
export function errorLine(message: string): string {
  const lines = message.split("\n").map((line) => line.trim());
  return `Error:  ${lines.filter((line) => line !== "").join(" ")}`;
}
