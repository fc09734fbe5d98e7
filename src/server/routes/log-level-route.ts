import { fieldOf, readFirstJson } from "../../go/json-fields.js";
import { GoJsonError } from "../../go/json-scanner.js";
import { BodyError, type ServerReply, type ServerRequest } from "../http/message.js";
import { messageErrorOf, RequestError } from "../http/request-error.js";
import type { Route } from "../http/router.js";

/** Each level as a word, a letter and a number. */
const LEVELS: ReadonlySet<string> = new Set([
  ...["CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG", "TRACE"],
  ...["C", "0", "E", "1", "W", "2", "N", "3", "I", "4", "D", "5", "T"],
]);

/** More than any level needs. Clients without credentials may send one. */
const MAX_BODY_BYTES = 4 * 1024;

/** Checks a log level and ignores it: this server has no log with levels. */
export const logLevelRoute: Route = {
  path: "/config/local/log",
  methods: "PUT",
  serve: (request) => setLogLevel(request).catch(messageErrorOf),
};

async function setLogLevel(request: ServerRequest): Promise<ServerReply> {
  const level = await readLevel(request);
  if (!LEVELS.has(level.toUpperCase())) throw new RequestError(400, `Invalid log level ${level}`);
  return { status: 204, headers: [], body: "" };
}

async function readLevel(request: ServerRequest): Promise<string> {
  const levels = await readLevels(request);
  if (!levels?.every((level) => typeof level === "string")) {
    throw new RequestError(400, "Invalid json body");
  }
  return levels.at(-1) ?? "";
}

/** Values of the field; undefined if the body cannot be read. */
async function readLevels(request: ServerRequest): Promise<readonly unknown[] | undefined> {
  try {
    const { found } = fieldOf(readFirstJson(await request.body(MAX_BODY_BYTES)), "Level");
    return found?.filter((level) => level !== null);
  } catch (error) {
    if (error instanceof GoJsonError || error instanceof BodyError) return undefined;
    throw error;
  }
}
