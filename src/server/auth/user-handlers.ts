import type { User, UserWithRoleNames } from "../../model/auth.js";
import type { ServerRequest } from "../http/message.js";
import { type AuthAnswer, type AuthHandler, type AuthHandlers, checkQuery } from "./auth-answer.js";
import { AuthRefusal } from "./auth-refusal.js";
import { readUserRequest, type UserRequest } from "./auth-request.js";
import { type AuthStore, ROOT, type StoredRole, type StoredUser } from "./auth-store.js";
import { hashPassword } from "./password.js";
import { unlessDamaged } from "./records.js";
import { changedUser } from "./user-change.js";

/** Handlers of `/v2/auth/users`. */
export function userListHandlers(store: AuthStore): AuthHandlers {
  return new Map<string, AuthHandler>([["GET", (request) => list(store, request)]]);
}

/** Handlers of `/v2/auth/users/NAME`. */
export function userHandlers(store: AuthStore, name: string): AuthHandlers {
  return new Map<string, AuthHandler>([
    ["GET", (request) => show(store, name, request)],
    ["PUT", (request) => put(store, name, request)],
    ["DELETE", () => remove(store, name)],
  ]);
}

/** Roles that do not exist, or are damaged, are left out, which `GET` of one user does not forgive. */
async function list(store: AuthStore, request: ServerRequest): Promise<AuthAnswer> {
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

async function show(store: AuthStore, name: string, request: ServerRequest): Promise<AuthAnswer> {
  const user = await store.user(name);
  if (user === undefined) throw unknownUser(name);
  checkQuery(request);
  const roles: StoredRole[] = [];
  for (const roleName of user.roles ?? []) {
    const role = await store.role(roleName);
    if (role === undefined) throw new AuthRefusal(404, `auth: Role ${roleName} does not exist.`);
    roles.push(role);
  }
  return { status: 200, content: shown(name, roles) };
}

async function put(store: AuthStore, name: string, request: ServerRequest): Promise<AuthAnswer> {
  const asked = await readUserRequest(request);
  if (asked.user !== name) {
    throw new AuthRefusal(400, "User JSON name does not match the name in the URL");
  }
  const hasRoles = Boolean(asked.roles?.length);
  if (asked.grant.length > 0 || asked.revoke.length > 0) {
    if (hasRoles) throw new AuthRefusal(400, "User JSON contains both roles and grant/revoke");
    return { status: 200, content: await update(store, asked) };
  }
  if (hasRoles) return { status: 200, content: await create(store, asked) };
  return (await store.user(name)) === undefined
    ? { status: 201, content: await create(store, asked) }
    : { status: 200, content: await update(store, asked) };
}

async function create(
  store: AuthStore,
  { user, password, roles }: UserRequest,
): Promise<UserWithRoleNames> {
  if (password === "") {
    throw new AuthRefusal(400, `auth: Cannot create user ${user} with an empty password`);
  }
  const created = await store.createUser({
    user,
    passwordHash: await hashPassword(password),
    roles,
  });
  if (created === undefined) throw new AuthRefusal(409, `auth: User ${user} already exists.`);
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

async function remove(store: AuthStore, name: string): Promise<AuthAnswer> {
  if (name === ROOT && (await store.isEnabled())) {
    throw new AuthRefusal(403, "auth: Cannot delete root user while auth is enabled.");
  }
  if (await store.removeUser(name)) return { status: 200 };
  // Unlike everywhere else, etcd ends this sentence without a full stop.
  throw new AuthRefusal(404, `auth: User ${name} does not exist`);
}

function unknownUser(name: string): AuthRefusal {
  return new AuthRefusal(404, `auth: User ${name} does not exist.`);
}

function shown(user: string, roles: readonly StoredRole[]): User {
  return roles.length === 0 ? { user } : { user, roles };
}

/** Without the password's hash. */
function withRoleNames({ user, roles }: StoredUser): UserWithRoleNames {
  return { user, roles };
}
