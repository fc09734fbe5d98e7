import { inspect } from "node:util";
import { AdminError } from "../errors/admin-error.js";
import { V2DisabledError } from "../errors/cluster-errors.js";
import { EtcdServerError } from "../errors/server-error.js";
import { goJson } from "../wire/go-json.js";
import type { ClientOptions } from "./client-options.js";
import { CommandError } from "./command-error.js";
import { exitCodeOf } from "./exit-code.js";

/** Tells why a command failed, in one line on standard error, and by the exit code. */
export function reportFailure(error: unknown, options: Pick<ClientOptions, "output" | "debug">) {
  console.error(failureLine(error, options.output));
  if (options.debug === true) console.error(inspect(error));
  process.exitCode = exitCodeOf(error);
}

/** The line, in etcdctl's words where etcd refused. */
function failureLine(error: unknown, output: ClientOptions["output"]): string {
  if (error instanceof EtcdServerError) return refusalLine(error, output);
  if (error instanceof AdminError) return error.detail;
  if (error instanceof CommandError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof V2DisabledError ? "; --api v3 asks for its v3 data" : "";
  return errorLine(message + hint);
}

function refusalLine(error: EtcdServerError, output: ClientOptions["output"]): string {
  const { errorCode, reason: message, detail: cause, index } = error;
  if (output === "json") return goJson({ errorCode, message, cause, index });
  return errorLine(`${errorCode}: ${message} (${cause}) [${index}]`);
}

/** etcdctl's form of an error, with both spaces. */
export function errorLine(message: string): string {
  return `Error:  ${message.trim().replace(/\s*\n\s*/g, " ")}`;
}
