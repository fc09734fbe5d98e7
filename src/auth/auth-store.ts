import { traceServerState } from "../diagnostics/server-channels.js";
import type { KeySpace, KeyWatch } from "../key-space/key-space.js";
import { compareCodePoints } from "../key-space/shared/code-point-order.js";
import { AUTH_SWITCHES, readAuthSwitch } from "../key-space/v3/admin/auth-switch.js";
import type { Permissions } from "../model/auth.js";
import { overwrite, Records } from "./records.js";
import { ROLES, type StoredRole, type StoredUser, USERS } from "./stored-records.js";

export type { StoredRole, StoredUser } from "./stored-records.js";

/** Name of a user, and of a role that this user always has. The role allows everything. */
export const ROOT = "root";
/** Name of the role for requests without credentials. */
export const GUEST = "guest";

const EVERYTHING: Permissions = { kv: { read: ["/*"], write: ["/*"] } };
const ROOT_ROLE: StoredRole = { role: ROOT, permissions: EVERYTHING };
const GUEST_ROLE: StoredRole = { role: GUEST, permissions: EVERYTHING };

/** A key space that knows at once whether it has changed, as one in this process does. */
interface Indexed {
  /** Index of the last change. */
  readonly index: number;
}

/**
 * Users, roles and whether auth is on, in a separate key space that key requests cannot reach. Reads are
 * local, as in etcd; updates use quorum reads and compare-and-swap.
 *
 * Other programs may write or delete the stored records. Auth is off only if a record says so, or if it was
 * never known to be on. A damaged record grants nothing.
 */
export class AuthStore {
  readonly #keySpace: KeySpace & Partial<Indexed>;
  readonly #users: Records<StoredUser>;
  readonly #roles: Records<StoredRole>;
  /** Used when both switches are missing, so that deleting them does not turn auth off. */
  #enabledLast = false;
  /** Index of the key space at which the switches were read last. */
  #enabledAt: number | undefined;
  #published: boolean | undefined;

  constructor(keySpace: KeySpace & Partial<Indexed>) {
    this.#keySpace = keySpace;
    this.#users = new Records(keySpace, USERS);
    this.#roles = new Records(keySpace, ROLES);
  }

  async isEnabled(): Promise<boolean> {
    return this.isKnownOff ? false : this.#readEnabled();
  }

  /** Whether auth is off, as far as that is known without a read. */
  get isKnownOff(): boolean {
    const { index } = this.#keySpace;
    return !this.#enabledLast && index !== undefined && index === this.#enabledAt;
  }

  async #readEnabled(): Promise<boolean> {
    // Before the read: a change in between is read again.
    const { index } = this.#keySpace;
    this.#remember((await readAuthSwitch(this.#keySpace)) ?? this.#enabledLast);
    this.#enabledAt = index;
    return this.#enabledLast;
  }

  /** The last result of {@link isEnabled}. */
  get wasEnabled(): boolean {
    return this.#enabledLast;
  }

  /** Watches every change of users, roles and whether auth is on. */
  openWatch(): Promise<KeyWatch> {
    return this.#keySpace.openWatch({ key: "/", recursive: true, stream: true });
  }

  async setEnabled(enabled: boolean): Promise<void> {
    for (const key of AUTH_SWITCHES) await overwrite(this.#keySpace, key, String(enabled));
    this.#remember(enabled);
  }

  #remember(enabled: boolean): void {
    this.#enabledLast = enabled;
    if (enabled === this.#published) return;
    this.#published = enabled;
    traceServerState({ kind: "auth", enabled });
  }

  /** @throws DamagedRecordError */
  async user(name: string): Promise<StoredUser | undefined> {
    const user = await this.#users.get(name);
    return user && withRootRole(user);
  }

  /** Sorted by name. */
  async users(): Promise<readonly StoredUser[]> {
    const users = await this.#users.list();
    return users.map(withRootRole).sort((a, b) => compareCodePoints(a.user, b.user));
  }

  /** The user as stored; `undefined` when the name is taken. */
  async createUser(user: StoredUser): Promise<StoredUser | undefined> {
    const complete = withRootRole(user);
    return (await this.#users.create(user.user, complete)) ? complete : undefined;
  }

  /** The changed user; `undefined` when the user does not exist. @throws DamagedRecordError */
  updateUser(
    name: string,
    change: (user: StoredUser) => StoredUser,
  ): Promise<StoredUser | undefined> {
    return this.#users.update(name, (user) => change(withRootRole(user)));
  }

  /** Creates or overwrites a user. */
  async replaceUser(user: StoredUser): Promise<void> {
    await this.#users.replace(user.user, withRootRole(user));
  }

  /** Whether it existed. */
  removeUser(name: string): Promise<boolean> {
    return this.#users.remove(name);
  }

  /** `root` always exists. @throws DamagedRecordError */
  async role(name: string): Promise<StoredRole | undefined> {
    return name === ROOT ? ROOT_ROLE : this.#roles.get(name);
  }

  /** Sorted by name, with `root`. */
  async roles(): Promise<readonly StoredRole[]> {
    const roles = [ROOT_ROLE, ...(await this.#roles.list())];
    return roles.sort((a, b) => compareCodePoints(a.role, b.role));
  }

  /** Whether the name was free. */
  createRole(role: StoredRole): Promise<boolean> {
    return this.#roles.create(role.role, role);
  }

  /** Creates or overwrites a role. */
  async replaceRole(role: StoredRole): Promise<void> {
    await this.#roles.replace(role.role, role);
  }

  /** Creates the role `guest` with access to all keys, unless it exists. */
  async ensureGuestRole(): Promise<void> {
    await this.createRole(GUEST_ROLE);
  }

  /** The changed role; `undefined` when the role does not exist. @throws DamagedRecordError */
  updateRole(
    name: string,
    change: (role: StoredRole) => StoredRole,
  ): Promise<StoredRole | undefined> {
    return this.#roles.update(name, change);
  }

  /** Whether it existed. */
  removeRole(name: string): Promise<boolean> {
    return this.#roles.remove(name);
  }
}

function withRootRole(user: StoredUser): StoredUser {
  const roles = user.roles ?? [];
  return user.user !== ROOT || roles.includes(ROOT) ? user : { ...user, roles: [...roles, ROOT] };
}
