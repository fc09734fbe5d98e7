import { decodePath, isWellEscaped } from "../../wire/decode-path.js";
import type { BrowserAccess } from "../http/browser-access.js";
import { cleanPath, encodePath } from "../http/clean-path.js";
import { errorReply } from "../http/error-reply.js";
import {
  type ServerReply,
  type ServerRequest,
  TEXT_TYPE,
  type V2Handler,
} from "../http/message.js";
import type { Router } from "../http/router.js";
import { splitTarget } from "../http/target.js";

/** The response that Go's HTTP library sends without a handler. So it has no CORS headers. */
const BAD_REQUEST: ServerReply = {
  status: 400,
  headers: ["Content-Type", TEXT_TYPE, "Connection", "close"],
  body: "400 Bad Request",
};

const EMPTY: ServerReply = { status: 200, headers: [], body: "" };

/**
 * Processes every request before its route: checks the rules for browsers, serves OPTIONS and cleans the
 * path.
 */
export function v2Handler(router: Router, browsers: BrowserAccess): V2Handler {
  return async (request) => {
    const { path, query } = splitTarget(request.target);
    if (!isWellEscaped(path)) return BAD_REQUEST;
    if (request.method === "OPTIONS" && path === "*") return EMPTY;
    const refusal = browsers.hostRefusal(request);
    if (refusal !== undefined) return refusal;
    const reply = await respond(router, browsers, request, path, query);
    const more = browsers.headersFor(request);
    if (more.length === 0) return reply;
    return { ...reply, headers: [...more, ...reply.headers] };
  };
}

function respond(
  router: Router,
  browsers: BrowserAccess,
  request: ServerRequest,
  sent: string,
  query: string,
): ServerReply | Promise<ServerReply> {
  if (request.method === "OPTIONS") return EMPTY;
  if (sent === "*") return { status: 400, headers: ["Connection", "close"], body: "" };
  try {
    const path = decodePath(sent);
    const refused = browsers.writeRefusal(request, path);
    if (refused !== undefined) return refused;
    const clean = cleanPath(path);
    if (clean !== path) return redirect(request.method, encodePath(clean) + withMark(query));
    return router.serve(request, path, query);
  } catch (error) {
    return errorReply(error, "keys");
  }
}

function withMark(query: string): string {
  return query === "" ? "" : `?${query}`;
}

/** Redirects to a clean path as Go's router does. `location` has one character for each byte. */
function redirect(method: string, location: string): ServerReply {
  const header = ["Location", location.replace(/[\x80-\xff]/g, escapeByte)];
  if (method !== "GET" && method !== "HEAD") return { status: 301, headers: header, body: "" };
  const shown = Buffer.from(location, "latin1")
    .toString()
    .replace(/[&<>"']/g, escapeForHtml);
  return {
    status: 301,
    headers: ["Content-Type", "text/html; charset=utf-8", ...header],
    body: method === "HEAD" ? "" : `<a href="${shown}">Moved Permanently</a>.\n\n`,
  };
}

function escapeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16)}`;
}

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

function escapeForHtml(character: string): string {
  return HTML_ESCAPES[character] ?? character;
}
