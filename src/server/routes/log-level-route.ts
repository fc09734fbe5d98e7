import { fieldOf, readFirstJson } from "../../go/json-fields.js";
import { JsonShapeError, readJsonBody } from "../http/json-body.js";
import type { ServerReply, ServerRequest } from "../http/message.js";
import { RequestError } from "../http/request-error.js";
import type { Route } from "../http/router.js";

/** Each level as a word, a letter and a number. */
const LEVELS: ReadonlySet<string> = new Set([
  ...["CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG", "TRACE"],
  ...["C", "0", "E", "1", "W", "2", "N", "3", "I", "4", "D", "5", "T"],
]);

/** Maximum size of the body. Clients without credentials may send one. */
const MAX_LEVEL_BODY_BYTES = 4 * 1024;

/** Checks a log level and ignores it: clients without credentials must not change the log. */
export const logLevelRoute: Route = {
  path: "/config/local/log",
  errors: "message",
  handlers: new Map([["PUT", setLogLevel]]),
};

async function setLogLevel(request: ServerRequest): Promise<ServerReply> {
  const level = await readJsonBody(
    request,
    MAX_LEVEL_BODY_BYTES,
    levelIn,
    () => "Invalid json body",
  );
  if (!LEVELS.has(level.toUpperCase())) throw new RequestError(400, `Invalid log level ${level}`);
  return { status: 204, headers: [], body: "" };
}

/** @throws GoJsonError, JsonShapeError */
function levelIn(text: string): string {
  const { found } = fieldOf(readFirstJson(text), "Level");
  const levels = found?.filter((level) => level !== null);
  if (!levels?.every((level) => typeof level === "string")) throw new JsonShapeError("not a level");
  return levels.at(-1) ?? "";
}
