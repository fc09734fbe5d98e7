import { inspect } from "node:util";
import { AdminError } from "../../errors/admin-error.js";
import { EtcdError } from "../../errors/etcd-error.js";
import type { OptionNames } from "../../errors/hint.js";
import { OptionError } from "../../errors/option-error.js";
import { EtcdServerError } from "../../errors/server-error.js";
import { CommandError } from "./command-error.js";
import { type FailedCommand, hintOn } from "./error-hint.js";
import { exitCodeOf } from "./exit-code.js";
import { flagNames } from "./flag-names.js";

/** Reports why a command failed: a line on standard error, perhaps another with a hint, and the exit code. */
export function reportFailure(
  error: unknown,
  debug = false,
  nameOf = flagNames(),
  command?: FailedCommand,
): void {
  reportLine(failureLine(error, nameOf));
  const hint = command && hintOn(error, command);
  if (hint !== undefined) reportLine(`Hint:   ${hint}`);
  if (debug) console.error(inspect(error));
  process.exitCode = exitCodeOf(error);
}

/** Writes a line to standard error. It may contain texts of servers and files. */
export function reportLine(line: string): void {
  console.error(withoutControls(line));
}

/** Keys and texts of servers can have characters that control a terminal. */
function withoutControls(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, "0");
    return `\\u${code}`;
  });
}

/** The line to print. An error of etcd has the format of etcdctl. */
function failureLine(error: unknown, nameOf: OptionNames): string {
  if (error instanceof EtcdServerError) {
    const { errorCode, reason, detail, index } = error;
    return errorLine(`${errorCode}: ${reason} (${detail}) [${index}]`);
  }
  if (error instanceof AdminError) return error.detail;
  if (error instanceof CommandError) return error.message;
  return errorLine(failureMessage(error, nameOf));
}

/** Node's message about a file, with the name of the system call. */
const FILE_PROBLEM = /^[A-Z]+: ([^,\n]+), [a-z]+ '([^'\n]*)'$/;

/** The message of an error, with the flags of the command line in place of the library's options. */
export function failureMessage(error: unknown, nameOf: OptionNames): string {
  if (error instanceof EtcdError || error instanceof OptionError) return error.messageWith(nameOf);
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && error.code === "EADDRINUSE") {
    return `${error.message}; choose another port with --port`;
  }
  const [, problem, file] = FILE_PROBLEM.exec(error.message) ?? [];
  return problem === undefined ? error.message : `${file}: ${problem}`;
}

/** etcdctl's format of an error, with two spaces. */
export function errorLine(message: string): string {
  const lines = message.split("\n").map((line) => line.trim());
  return `Error:  ${lines.filter((line) => line !== "").join(" ")}`;
}
