import type { AuthStore } from "../../auth/auth-store.js";
import { goJson } from "../../wire/go-json.js";
import { JSON_TYPE } from "../http/message.js";
import { RequestError } from "../http/request-error.js";
import { type IsRoot, rootOnly } from "../http/root-only.js";
import type { Handler, Route } from "../http/router.js";
import { withClusterId } from "../http/with-cluster-id.js";
import type { AuthHandler, AuthHandlers } from "./auth-response.js";
import { enableHandlers } from "./enable-handlers.js";
import { roleHandlers, roleListHandlers } from "./role-handlers.js";
import { userHandlers, userListHandlers } from "./user-handlers.js";

const USERS = "/v2/auth/users";
const ROLES = "/v2/auth/roles";

/**
 * Serves `/v2/auth`. Only root is allowed, except to read whether auth is on.
 *
 * @param clusterId returns the value of `X-Etcd-Cluster-Id`
 */
export function authRoutes(
  store: AuthStore,
  isRoot: IsRoot,
  clusterId: () => Promise<string>,
): readonly Route[] {
  const open = (handler: AuthHandler): Handler =>
    withClusterId(clusterId, "message", jsonHandler(handler));
  const closed = (handler: AuthHandler): Handler => rootOnly(isRoot, open(handler));
  const route = (path: string, handlers: AuthHandlers, isOpen = (_: string) => false): Route => ({
    path,
    errors: "message",
    handlers: new Map(
      [...handlers].map(([method, handler]) => [
        method,
        isOpen(method) ? open(handler) : closed(handler),
      ]),
    ),
  });
  return [
    route("/v2/auth/enable", enableHandlers(store), (method) => method === "GET"),
    route(USERS, userListHandlers(store)),
    route(`${USERS}/`, userListHandlers(store)),
    route(`${USERS}/*`, userHandlers(store)),
    { path: `${USERS}/**`, errors: "message", handlers: refusePath },
    route(ROLES, roleListHandlers(store)),
    route(`${ROLES}/`, roleListHandlers(store)),
    route(`${ROLES}/*`, roleHandlers(store)),
    { path: `${ROLES}/**`, errors: "message", handlers: refusePath },
  ];
}

function refusePath(): never {
  throw new RequestError(400, "Invalid path");
}

function jsonHandler(handler: AuthHandler): Handler {
  return async (request, name) => {
    const { status, content } = await handler(request, name);
    const body = content === undefined ? "" : `${goJson(content)}\n`;
    return { status, headers: ["Content-Type", JSON_TYPE], body };
  };
}
