import { type AuthStore, ROOT, type StoredRole, type StoredUser } from "../../auth/auth-store.js";
import { hashPassword } from "../../auth/password.js";
import { unlessDamaged } from "../../auth/records.js";
import type { User, UserWithRoleNames } from "../../model/auth.js";
import type { ServerRequest } from "../http/message.js";
import { RequestError } from "../http/request-error.js";
import { readUserRequest, type UserRequest } from "./auth-request.js";
import {
  type AuthHandler,
  type AuthHandlers,
  type AuthResponse,
  checkQuery,
} from "./auth-response.js";
import { changedUser } from "./user-change.js";

/** Handlers of `/v2/auth/users`. */
export function userListHandlers(store: AuthStore): AuthHandlers {
  return new Map<string, AuthHandler>([["GET", (request) => list(store, request)]]);
}

/** Handlers of `/v2/auth/users/NAME`. */
export function userHandlers(store: AuthStore): AuthHandlers {
  return new Map<string, AuthHandler>([
    ["GET", (request, name) => show(store, name, request)],
    ["PUT", (request, name) => put(store, name, request)],
    ["DELETE", (_, name) => remove(store, name)],
  ]);
}

/** Omits roles that do not exist or are damaged, for which `GET` of one user fails. */
async function list(store: AuthStore, request: ServerRequest): Promise<AuthResponse> {
  checkQuery(request);
  const users: User[] = [];
  for (const { user, roles } of await store.users()) {
    const found = await Promise.all((roles ?? []).map((role) => unlessDamaged(store.role(role))));
    users.push(
      shown(
        user,
        found.flatMap((role) => role ?? []),
      ),
    );
  }
  return { status: 200, content: { users: users.length === 0 ? null : users } };
}

async function show(store: AuthStore, name: string, request: ServerRequest): Promise<AuthResponse> {
  const user = await store.user(name);
  if (user === undefined) throw unknownUser(name);
  checkQuery(request);
  const roles: StoredRole[] = [];
  for (const roleName of user.roles ?? []) {
    const role = await store.role(roleName);
    if (role === undefined) throw new RequestError(404, `auth: Role ${roleName} does not exist.`);
    roles.push(role);
  }
  return { status: 200, content: shown(name, roles) };
}

async function put(store: AuthStore, name: string, request: ServerRequest): Promise<AuthResponse> {
  const sent = await readUserRequest(request);
  if (sent.user !== name) {
    throw new RequestError(400, "User JSON name does not match the name in the URL");
  }
  const hasRoles = Boolean(sent.roles?.length);
  if (sent.grant.length > 0 || sent.revoke.length > 0) {
    if (hasRoles) throw new RequestError(400, "User JSON contains both roles and grant/revoke");
    return { status: 200, content: await update(store, sent) };
  }
  if (hasRoles) return { status: 200, content: await create(store, sent) };
  return (await store.user(name)) === undefined
    ? { status: 201, content: await create(store, sent) }
    : { status: 200, content: await update(store, sent) };
}

async function create(
  store: AuthStore,
  { user, password, roles }: UserRequest,
): Promise<UserWithRoleNames> {
  if (password === "") {
    throw new RequestError(400, `auth: Cannot create user ${user} with an empty password`);
  }
  const created = await store.createUser({
    user,
    passwordHash: await hashPassword(password),
    roles,
  });
  if (created === undefined) throw new RequestError(409, `auth: User ${user} already exists.`);
  return withRoleNames(created);
}

async function update(
  store: AuthStore,
  { user, password, grant, revoke }: UserRequest,
): Promise<UserWithRoleNames> {
  const passwordHash = password === "" ? undefined : await hashPassword(password);
  const change = { passwordHash, grant, revoke };
  const updated = await store.updateUser(user, (old) => changedUser(old, change));
  if (updated === undefined) throw unknownUser(user);
  return withRoleNames(updated);
}

async function remove(store: AuthStore, name: string): Promise<AuthResponse> {
  if (name === ROOT && (await store.isEnabled())) {
    throw new RequestError(403, "auth: Cannot delete root user while auth is enabled.");
  }
  if (await store.removeUser(name)) return { status: 200 };
  // Unlike everywhere else, etcd ends this sentence without a full stop.
  throw new RequestError(404, `auth: User ${name} does not exist`);
}

function unknownUser(name: string): RequestError {
  return new RequestError(404, `auth: User ${name} does not exist.`);
}

function shown(user: string, roles: readonly StoredRole[]): User {
  return roles.length === 0 ? { user } : { user, roles };
}

/** The user without the hash of the password. */
function withRoleNames({ user, roles }: StoredUser): UserWithRoleNames {
  return { user, roles };
}
