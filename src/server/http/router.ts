import { plainError, type ServerReply, type ServerRequest } from "./message.js";

/** Serves one path, or all paths below it. */
export interface Route {
  /** `/v2/machines` is that path only, `/v2/keys/` is everything below it. */
  readonly path: string;
  /** The value of `Allow`; empty: any method. */
  readonly methods: string;
  /** `rest` is the decoded path after `path`; `query` is the text after the question mark. */
  serve(request: ServerRequest, rest: string, query: string): Promise<ServerReply> | ServerReply;
}

const NOT_FOUND = plainError(404, "404 page not found");

/** Finds the route of a decoded path, and refuses methods that it does not allow. */
export class Router {
  readonly #exact = new Map<string, Route>();
  readonly #below: readonly Route[];

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#exact.set(route.path, route);
    this.#below = routes.filter(({ path }) => path.endsWith("/"));
  }

  async serve(request: ServerRequest, path: string, query: string): Promise<ServerReply> {
    const route = this.#exact.get(path) ?? this.#below.find((each) => path.startsWith(each.path));
    if (route === undefined) return NOT_FOUND;
    const { methods } = route;
    if (methods !== "" && !methods.split(",").includes(request.method)) {
      return plainError(405, "Method Not Allowed", ["Allow", methods]);
    }
    return route.serve(request, path.slice(route.path.length), query);
  }
}
