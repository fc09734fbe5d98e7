import type { KeySpace, KeyWatch } from "../../key-space/key-space.js";
import { compareCodePoints } from "../../key-space/shared/code-point-order.js";
import type { Permissions } from "../../model/auth.js";
import { overwrite, Records } from "./records.js";
import { ROLES, type StoredRole, type StoredUser, USERS } from "./stored-records.js";

export type { StoredRole, StoredUser } from "./stored-records.js";

/** Name of the user that always has the role of the same name, which may do anything. */
export const ROOT = "root";
/** Name of the role of those who show no credentials. */
export const GUEST = "guest";

/** Both say whether auth is on, so that it stays on when one of them is lost or damaged. */
const SWITCHES = ["/enabled", "/enabled-copy"];
const EVERYTHING: Permissions = { kv: { read: ["/*"], write: ["/*"] } };
const ROOT_ROLE: StoredRole = { role: ROOT, permissions: EVERYTHING };
const GUEST_ROLE: StoredRole = { role: GUEST, permissions: EVERYTHING };

/**
 * Users, roles and whether auth is on, kept in a key space of their own that no key request
 * reaches. Reads are local, as etcd's are; updates read and write by agreement.
 *
 * Others may write or delete the records where they lie. Auth is off only where a record says so, or
 * where it was never on as far as is known. A damaged record grants nothing.
 */
export class AuthStore {
  readonly #keySpace: KeySpace;
  readonly #users: Records<StoredUser>;
  readonly #roles: Records<StoredRole>;
  /** What holds where both switches are gone: nobody turns auth off by deleting them. */
  #enabledLast = false;

  constructor(keySpace: KeySpace) {
    this.#keySpace = keySpace;
    this.#users = new Records(keySpace, USERS);
    this.#roles = new Records(keySpace, ROLES);
  }

  async isEnabled(): Promise<boolean> {
    // Every request asks: where auth was never on, a listing answers and the key itself would throw.
    const { node } = await this.#keySpace.execute({ action: "get", key: "/" });
    const switches = (node.nodes ?? []).filter(({ key }) => SWITCHES.includes(key));
    if (switches.length > 0) {
      this.#enabledLast = switches.some(({ value }) => value !== "false");
    }
    return this.#enabledLast;
  }

  /** What {@link isEnabled} has last found. */
  get wasEnabled(): boolean {
    return this.#enabledLast;
  }

  /** Tells of every change of users, roles and whether auth is on. */
  openWatch(): Promise<KeyWatch> {
    return this.#keySpace.openWatch({ key: "/", recursive: true, stream: true });
  }

  async setEnabled(enabled: boolean): Promise<void> {
    for (const key of SWITCHES) await overwrite(this.#keySpace, key, String(enabled));
    this.#enabledLast = enabled;
  }

  /** @throws DamagedRecordError */
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

  /** The changed user; `undefined` when there is none. @throws DamagedRecordError */
  updateUser(
    name: string,
    change: (user: StoredUser) => StoredUser,
  ): Promise<StoredUser | undefined> {
    return this.#users.update(name, (user) => change(withRootRole(user)));
  }

  /** Writes a user over whatever is kept under the name. */
  async replaceUser(user: StoredUser): Promise<void> {
    await this.#users.replace(user.user, withRootRole(user));
  }

  /** Whether there was one. */
  removeUser(name: string): Promise<boolean> {
    return this.#users.remove(name);
  }

  /** `root` is always there. @throws DamagedRecordError */
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

  /** The changed role; `undefined` when there is none. @throws DamagedRecordError */
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
