import { compareCodePoints } from "../../key-space/code-point-order.js";
import type { KeySpace } from "../../key-space/key-space.js";
import type { Permissions, Role } from "../../model/auth.js";
import { ifKeyExists, Records } from "./records.js";

/** A user as it is kept. */
export interface StoredUser {
  readonly user: string;
  readonly passwordHash: string;
  /** Names of roles, which need not exist; etcd tells a missing list from an empty one. */
  readonly roles: readonly string[] | null;
}

/** A role as it is kept: as it was created, an empty `grant` or `revoke` included. */
export interface StoredRole extends Role {
  readonly grant?: Permissions;
  readonly revoke?: Permissions;
}

/** Name of the user that always has the role of the same name, which may do anything. */
export const ROOT = "root";
/** Name of the role of those who show no credentials. */
export const GUEST = "guest";

const ENABLED = "/enabled";
const EVERYTHING: Permissions = { kv: { read: ["/*"], write: ["/*"] } };
const ROOT_ROLE: StoredRole = { role: ROOT, permissions: EVERYTHING };
const GUEST_ROLE: StoredRole = { role: GUEST, permissions: EVERYTHING };

/**
 * Users, roles and whether auth is on, kept in a key space of their own that no key request
 * reaches. Reads are local, as etcd's are; updates read and write by agreement.
 */
export class AuthStore {
  readonly #keySpace: KeySpace;
  readonly #users: Records<StoredUser>;
  readonly #roles: Records<StoredRole>;

  constructor(keySpace: KeySpace) {
    this.#keySpace = keySpace;
    this.#users = new Records(keySpace, "/users");
    this.#roles = new Records(keySpace, "/roles");
  }

  async isEnabled(): Promise<boolean> {
    const answer = await ifKeyExists(this.#keySpace.execute({ action: "get", key: ENABLED }));
    return answer?.node.value === "true";
  }

  async setEnabled(enabled: boolean): Promise<void> {
    await this.#keySpace.execute({ action: "set", key: ENABLED, value: String(enabled) });
  }

  async user(name: string): Promise<StoredUser | undefined> {
    const user = await this.#users.get(name);
    return user && withRootRole(user);
  }

  /** By name. */
  async users(): Promise<readonly StoredUser[]> {
    const users = await this.#users.list();
    return users.map(withRootRole).sort((a, b) => compareCodePoints(a.user, b.user));
  }

  /** The user as it is kept; `undefined` when there is one of that name already. */
  async createUser(user: StoredUser): Promise<StoredUser | undefined> {
    const complete = withRootRole(user);
    return (await this.#users.create(user.user, complete)) ? complete : undefined;
  }

  /** The changed user; `undefined` when there is none. */
  updateUser(
    name: string,
    change: (user: StoredUser) => StoredUser,
  ): Promise<StoredUser | undefined> {
    return this.#users.update(name, (user) => change(withRootRole(user)));
  }

  /** Whether there was one. */
  removeUser(name: string): Promise<boolean> {
    return this.#users.remove(name);
  }

  /** `root` is always there. */
  async role(name: string): Promise<StoredRole | undefined> {
    return name === ROOT ? ROOT_ROLE : this.#roles.get(name);
  }

  /** By name, `root` included. */
  async roles(): Promise<readonly StoredRole[]> {
    const roles = [ROOT_ROLE, ...(await this.#roles.list())];
    return roles.sort((a, b) => compareCodePoints(a.role, b.role));
  }

  /** Whether the name was free. */
  createRole(role: StoredRole): Promise<boolean> {
    return this.#roles.create(role.role, role);
  }

  /** Gives those without credentials all keys, unless something else has been said. */
  async ensureGuestRole(): Promise<void> {
    await this.createRole(GUEST_ROLE);
  }

  /** The changed role; `undefined` when there is none. */
  updateRole(
    name: string,
    change: (role: StoredRole) => StoredRole,
  ): Promise<StoredRole | undefined> {
    return this.#roles.update(name, change);
  }

  /** Whether there was one. */
  removeRole(name: string): Promise<boolean> {
    return this.#roles.remove(name);
  }
}

function withRootRole(user: StoredUser): StoredUser {
  const roles = user.roles ?? [];
  return user.user !== ROOT || roles.includes(ROOT) ? user : { ...user, roles: [...roles, ROOT] };
}
