import type { ServerRequest } from "../http/message.js";
import { type AuthAnswer, type AuthHandler, type AuthHandlers, checkQuery } from "./auth-answer.js";
import { AuthRefusal } from "./auth-refusal.js";
import { readRoleRequest } from "./auth-request.js";
import { type AuthStore, ROOT, type StoredRole } from "./auth-store.js";
import { changedRole, isEmpty } from "./role-change.js";

/** Handlers of `/v2/auth/roles`. */
export function roleListHandlers(store: AuthStore): AuthHandlers {
  return new Map<string, AuthHandler>([["GET", (request) => list(store, request)]]);
}

/** Handlers of `/v2/auth/roles/NAME`. */
export function roleHandlers(store: AuthStore, name: string): AuthHandlers {
  return new Map<string, AuthHandler>([
    ["GET", () => show(store, name)],
    ["PUT", (request) => put(store, name, request)],
    ["DELETE", () => remove(store, name)],
  ]);
}

async function list(store: AuthStore, request: ServerRequest): Promise<AuthAnswer> {
  checkQuery(request);
  return { status: 200, content: { roles: await store.roles() } };
}

async function show(store: AuthStore, name: string): Promise<AuthAnswer> {
  const role = await store.role(name);
  if (role === undefined) throw unknownRole(name);
  return { status: 200, content: role };
}

async function put(store: AuthStore, name: string, request: ServerRequest): Promise<AuthAnswer> {
  const asked = await readRoleRequest(request);
  if (asked.role !== name) {
    throw new AuthRefusal(400, "Role JSON name does not match the name in the URL");
  }
  if (isEmpty(asked.grant) && isEmpty(asked.revoke)) return create(store, asked);
  if (!isEmpty(asked.permissions)) {
    throw new AuthRefusal(400, "Role JSON contains both permissions and grant/revoke");
  }
  return update(store, asked);
}

/** etcd keeps and shows the object as it was sent, even an empty grant. */
async function create(store: AuthStore, asked: StoredRole): Promise<AuthAnswer> {
  refuseRoot(asked.role);
  if (await store.createRole(asked)) return { status: 201, content: asked };
  throw new AuthRefusal(409, `auth: Role ${asked.role} already exists.`);
}

async function update(store: AuthStore, asked: StoredRole): Promise<AuthAnswer> {
  refuseRoot(asked.role);
  const updated = await store.updateRole(asked.role, (role) => changedRole(role, asked));
  if (updated === undefined) throw unknownRole(asked.role);
  return { status: 200, content: updated };
}

async function remove(store: AuthStore, name: string): Promise<AuthAnswer> {
  refuseRoot(name);
  if (await store.removeRole(name)) return { status: 200 };
  throw new AuthRefusal(404, `auth: Role ${name} doesn't exist.`);
}

function refuseRoot(name: string): void {
  if (name === ROOT) throw new AuthRefusal(403, "auth: Cannot modify role root: is root role.");
}

function unknownRole(name: string): AuthRefusal {
  return new AuthRefusal(404, `auth: Role ${name} does not exist.`);
}
