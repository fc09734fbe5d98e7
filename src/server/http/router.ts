import { type ErrorFormat, errorReply } from "./error-reply.js";
import { plainError, type ServerReply, type ServerRequest } from "./message.js";

/**
 * Serves a request. `rest` is the part of the decoded path that the wildcard of the route matched; `query`
 * is the text after the question mark. An error becomes a response in the format of the route.
 */
export type Handler = (
  request: ServerRequest,
  rest: string,
  query: string,
) => ServerReply | Promise<ServerReply>;

/** Handlers by method, in the order of `Allow`. A single handler serves any method. */
type Handlers = ReadonlyMap<string, Handler> | Handler;

/** A path and what serves it. */
export interface Route {
  /**
   * Without a wildcard, `/version` is that path only. With `/*`, `/users/*` is `/users/NAME` and
   * `/users/NAME/`, and `rest` is `NAME`. With `/**`, `/keys/**` is `/keys` and everything below it, and
   * `rest` is empty or begins with a slash.
   */
  readonly path: string;
  readonly errors: ErrorFormat;
  readonly handlers: Handlers;
}

const NOT_FOUND = plainError(404, "404 page not found");

/** Finds the first route of a decoded path, and refuses methods that it does not allow. */
export class Router {
  readonly #routes: readonly Route[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes;
  }

  /** Never rejects. */
  async serve(request: ServerRequest, path: string, query: string): Promise<ServerReply> {
    for (const { path: pattern, errors, handlers } of this.#routes) {
      const rest = restOf(pattern, path);
      if (rest === undefined) continue;
      try {
        return await handlerOf(handlers, request.method)(request, rest, query);
      } catch (error) {
        return errorReply(error, errors);
      }
    }
    return NOT_FOUND;
  }
}

/** The part of a path that the wildcard of a pattern matches, empty without a wildcard; undefined for another path. */
function restOf(pattern: string, path: string): string | undefined {
  if (!pattern.endsWith("*")) return path === pattern ? "" : undefined;
  const fixed = pattern.slice(0, pattern.indexOf("/*"));
  if (!path.startsWith(fixed)) return undefined;
  const rest = path.slice(fixed.length);
  if (pattern.endsWith("/**")) return rest === "" || rest.startsWith("/") ? rest : undefined;
  const name = rest.slice(1, rest.endsWith("/") ? -1 : undefined);
  return rest.startsWith("/") && name !== "" && !name.includes("/") ? name : undefined;
}

function handlerOf(handlers: Handlers, method: string): Handler {
  if (typeof handlers === "function") return handlers;
  const handler = handlers.get(method);
  if (handler !== undefined) return handler;
  const methods = [...handlers.keys()].join(",");
  return () => plainError(405, "Method Not Allowed", ["Allow", methods]);
}
