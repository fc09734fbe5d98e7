import { goJson } from "../../wire/go-json.js";
import { checkedAfterBody } from "../http/checked-after-body.js";
import {
  type HeaderList,
  JSON_TYPE,
  plainError,
  type ServerReply,
  type ServerRequest,
} from "../http/message.js";
import type { AuthGuard } from "./auth-guard.js";
import { AuthRefusal, authRefusalOf } from "./auth-refusal.js";
import type { AuthHandler, AuthHandlers } from "./auth-response.js";
import type { AuthStore } from "./auth-store.js";
import { enableHandlers } from "./enable-handlers.js";
import { roleHandlers, roleListHandlers } from "./role-handlers.js";
import { userHandlers, userListHandlers } from "./user-handlers.js";

const ENABLE = "/enable";

/** Serves `/v2/auth`. */
export class AuthRoute {
  readonly #store: AuthStore;
  readonly #guard: AuthGuard;
  readonly #clusterId: () => Promise<string>;

  /** `clusterId` returns the value of `X-Etcd-Cluster-Id`. */
  constructor(store: AuthStore, guard: AuthGuard, clusterId: () => Promise<string>) {
    this.#store = store;
    this.#guard = guard;
    this.#clusterId = clusterId;
  }

  /**
   * Follows the order of etcd's checks: path, method, credentials, then the request itself. `path` is the
   * decoded, cleaned path after `/v2/auth`.
   */
  async serve(request: ServerRequest, path: string): Promise<ServerReply> {
    try {
      const handlers = this.#handlersOf(path);
      if (handlers === undefined) return plainError(404, "404 page not found");
      const handler = handlers.get(request.method);
      if (handler === undefined) {
        return plainError(405, "Method Not Allowed", ["Allow", [...handlers.keys()].join(",")]);
      }
      const check = (): Promise<void> => this.#checkCredentials(request, path);
      await check();
      const headers = ["X-Etcd-Cluster-Id", await this.#clusterId()];
      return await respond(handler, checkedAfterBody(request, check), headers);
    } catch (error) {
      return refuse(error);
    }
  }

  #handlersOf(path: string): AuthHandlers | undefined {
    if (path === ENABLE) return enableHandlers(this.#store);
    const [, kind, name, ...deeper] = path.replace(/\/$/, "").split("/");
    if (kind !== "users" && kind !== "roles") return undefined;
    if (deeper.length > 0) throw new AuthRefusal(400, "Invalid path");
    const [listHandlers, handlers] =
      kind === "users" ? [userListHandlers, userHandlers] : [roleListHandlers, roleHandlers];
    return name === undefined ? listHandlers(this.#store) : handlers(this.#store, name);
  }

  /** Only root is allowed, except to read whether auth is on. @throws AuthRefusal */
  async #checkCredentials(request: ServerRequest, path: string): Promise<void> {
    if (path === ENABLE && request.method === "GET") return;
    if (!(await this.#guard.isRoot(request))) {
      throw new AuthRefusal(401, "Insufficient credentials");
    }
  }
}

async function respond(
  handler: AuthHandler,
  request: ServerRequest,
  headers: HeaderList,
): Promise<ServerReply> {
  try {
    const { status, content } = await handler(request);
    return reply(status, content === undefined ? "" : `${goJson(content)}\n`, headers);
  } catch (error) {
    return refuse(error, headers);
  }
}

/** @throws the error itself if it is not about the request */
function refuse(error: unknown, headers: HeaderList = []): ServerReply {
  const { status, message } = authRefusalOf(error);
  return reply(status, goJson({ message }), headers);
}

function reply(status: number, body: string, headers: HeaderList): ServerReply {
  return { status, headers: ["Content-Type", JSON_TYPE, ...headers], body };
}
