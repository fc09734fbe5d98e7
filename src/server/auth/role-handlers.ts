import { type AuthStore, ROOT, type StoredRole } from "../../auth/auth-store.js";
import type { ServerRequest } from "../http/message.js";
import { RequestError } from "../http/request-error.js";
import { readRoleRequest } from "./auth-request.js";
import {
  type AuthHandler,
  type AuthHandlers,
  type AuthResponse,
  checkQuery,
} from "./auth-response.js";
import { changedRole, hasNoPermissions } from "./role-change.js";

/** Handlers of `/v2/auth/roles`. */
export function roleListHandlers(store: AuthStore): AuthHandlers {
  return new Map<string, AuthHandler>([["GET", (request) => list(store, request)]]);
}

/** Handlers of `/v2/auth/roles/NAME`. */
export function roleHandlers(store: AuthStore): AuthHandlers {
  return new Map<string, AuthHandler>([
    ["GET", (_, name) => show(store, name)],
    ["PUT", (request, name) => put(store, name, request)],
    ["DELETE", (_, name) => remove(store, name)],
  ]);
}

async function list(store: AuthStore, request: ServerRequest): Promise<AuthResponse> {
  checkQuery(request);
  return { status: 200, content: { roles: await store.roles() } };
}

async function show(store: AuthStore, name: string): Promise<AuthResponse> {
  const role = await store.role(name);
  if (role === undefined) throw unknownRole(name);
  return { status: 200, content: role };
}

async function put(store: AuthStore, name: string, request: ServerRequest): Promise<AuthResponse> {
  const sent = await readRoleRequest(request);
  if (sent.role !== name) {
    throw new RequestError(400, "Role JSON name does not match the name in the URL");
  }
  if (hasNoPermissions(sent.grant) && hasNoPermissions(sent.revoke)) return create(store, sent);
  if (!hasNoPermissions(sent.permissions)) {
    throw new RequestError(400, "Role JSON contains both permissions and grant/revoke");
  }
  return update(store, sent);
}

/** etcd stores and shows the object as it was sent, even an empty grant. */
async function create(store: AuthStore, sent: StoredRole): Promise<AuthResponse> {
  refuseRoot(sent.role);
  if (await store.createRole(sent)) return { status: 201, content: sent };
  throw new RequestError(409, `auth: Role ${sent.role} already exists.`);
}

async function update(store: AuthStore, sent: StoredRole): Promise<AuthResponse> {
  refuseRoot(sent.role);
  const updated = await store.updateRole(sent.role, (role) => changedRole(role, sent));
  if (updated === undefined) throw unknownRole(sent.role);
  return { status: 200, content: updated };
}

async function remove(store: AuthStore, name: string): Promise<AuthResponse> {
  refuseRoot(name);
  if (await store.removeRole(name)) return { status: 200 };
  throw new RequestError(404, `auth: Role ${name} doesn't exist.`);
}

function refuseRoot(name: string): void {
  if (name === ROOT) throw new RequestError(403, "auth: Cannot modify role root: is root role.");
}

function unknownRole(name: string): RequestError {
  return new RequestError(404, `auth: Role ${name} does not exist.`);
}
