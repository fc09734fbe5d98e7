import { ROOT } from "../auth/auth-store.js";
import type { EtcdClient } from "../client/etcd-client.js";
import { CutoverError } from "../errors/cutover-error.js";
import type { Permissions } from "../model/auth.js";
import type { StoredState } from "./cutover-state.js";
import type { CutoverTarget } from "./open-target.js";
import { SeenPasswords } from "./seen-passwords.js";
import { type MemberAt, readStoredUsers, readUsers, type Users } from "./users.js";

/** The permissions of a role that is missing. */
const NOTHING: Permissions = { kv: { read: [], write: [] } };
/** Users that an error names. */
const MAX_NAMED = 20;

export interface CopyUsersOptions {
  readonly memberAt?: MemberAt | undefined;
  /** Users that are not copied: nobody can log in with them after the switch. */
  readonly withoutUsers?: readonly string[] | undefined;
  /** Replace users that v3 has and v2 has not. */
  readonly overwrite?: boolean | undefined;
}

/**
 * Gives v3 the users and roles of v2, and switches its auth on or off.
 *
 * @throws CutoverError when a user has not logged in since `arm`, so that the hash of its password is not known
 */
export async function copyUsers(
  source: EtcdClient,
  { records, users: store }: CutoverTarget,
  state: StoredState,
  { memberAt, withoutUsers = [], overwrite = false }: CopyUsersOptions,
): Promise<void> {
  const seen = await seenBefore(records, state);
  const known = { users: seen.keys(), roles: [] };
  const { isAuthOn, users, roles } = await readUsers(source, memberAt, known);
  if (isAuthOn !== (state.passwords !== "")) throw authChanged(isAuthOn);
  const before = await readStoredUsers(store);
  const others = [...before.users.keys()].filter((name) => !users.has(name) && name !== ROOT);
  const isOnlyOnV3 = before.isAuthOn && !isAuthOn;
  if (!overwrite && (others.length > 0 || isOnlyOnV3)) {
    const has = isOnlyOnV3
      ? "v2 auth is on for gateways of v3, but off on v2"
      : "v3 has users that v2 has not";
    throw new CutoverError(`${has}: ${named(isOnlyOnV3 ? [...before.users.keys()] : others)}`, {
      option: "overwrite",
      hint: (name) => `${name("overwrite")} lets v3 have what v2 has`,
    });
  }
  if (!isAuthOn) {
    if (before.isAuthOn) await store.setEnabled(false);
    return;
  }
  const copied = [...users].filter(([name]) => !withoutUsers.includes(name));
  const unseen = unseenOf(users, withoutUsers, seen);
  if (unseen.length > 0) {
    throw new CutoverError(unseenText(unseen), {
      option: "withoutUsers",
      hint: (name) =>
        `read a key through a gateway as each of them, or leave them out with ${name("withoutUsers")}`,
    });
  }
  if (!copied.some(([, names]) => names.includes(ROOT))) {
    throw new CutoverError(
      "nobody could change users on v3, without a user that has the role root",
      {
        option: "withoutUsers",
        hint: (name) => `leave such a user out of ${name("withoutUsers")}`,
      },
    );
  }

  const stored = new Map((await store.users()).map((user) => [user.user, user]));
  for (const [user, names] of copied) {
    const passwordHash = seen.get(user) ?? "";
    const known = stored.get(user);
    const isSame = known?.passwordHash === passwordHash && isEqual(known.roles, names);
    if (!isSame) await store.replaceUser({ user, passwordHash, roles: names });
    stored.delete(user);
  }
  for (const user of stored.keys()) await store.removeUser(user);
  for (const [role, permissions] of roles) {
    const known = before.roles.get(role);
    if (known === undefined || !grantSame(known, permissions)) {
      await store.replaceRole({ role, permissions });
    }
  }
  for (const { role } of await store.roles()) {
    if (role !== ROOT && !roles.has(role)) await store.removeRole(role);
  }
  await store.setEnabled(true);
}

/**
 * Checks that v2 and v3 have the same users, roles and passwords, because v2 takes no hash of a password.
 *
 * @param passwordsSet users whose passwords on v2 are those on v3, as the operator says
 * @throws CutoverError that names what is different
 */
export async function checkSameUsers(
  source: EtcdClient,
  { records, users: store }: CutoverTarget,
  state: StoredState,
  memberAt: MemberAt | undefined,
  passwordsSet: readonly string[] = [],
): Promise<void> {
  const seen = await seenBefore(records, state);
  const v3 = await readStoredUsers(store);
  const known = { users: [...seen.keys(), ...v3.users.keys()], roles: v3.roles.keys() };
  const v2 = await readUsers(source, memberAt, known);
  if (v2.isAuthOn !== v3.isAuthOn) {
    const on = v2.isAuthOn ? ["v2", "v3"] : ["v3", "v2"];
    throw new CutoverError(
      `not returned: v2 auth is on on ${on[0]}, but off on ${on[1]}; switch it on or off on v2`,
    );
  }
  if (!v3.isAuthOn) return;
  const hashes = new Map((await store.users()).map((user) => [user.user, user.passwordHash]));
  const changed = [...hashes]
    .filter(([user, hash]) => seen.get(user) !== hash && !passwordsSet.includes(user))
    .map(([user]) => `the password of ${user}`);
  const found = [...differences(v2, v3, seen), ...changed];
  if (found.length === 0) return;
  throw new CutoverError(`not returned: users or roles were changed on v3: ${named(found)}`, {
    option: "passwordsSet",
    hint: (name) =>
      "change them on v2 in the same way, with the commands user and role; " +
      `then name each user whose password you have set there with ${name("passwordsSet")}`,
  });
}

/** Users to copy whose passwords are not known. */
export function unseenOf(
  users: Users["users"],
  withoutUsers: readonly string[],
  seen: ReadonlyMap<string, string>,
): readonly string[] {
  return [...users.keys()].filter((name) => !withoutUsers.includes(name) && !seen.has(name));
}

/** Hashes by user, since the last `arm`. */
export async function seenBefore(
  { keySpace }: CutoverTarget["records"],
  { passwords }: StoredState,
): Promise<ReadonlyMap<string, string>> {
  return passwords === "" ? new Map() : await new SeenPasswords(keySpace, passwords).all();
}

/** What is not equal. @param seen a user that was left out at the switch is missing there */
function differences(v2: Users, v3: Users, seen: ReadonlyMap<string, string>): readonly string[] {
  const names = (a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>) =>
    [...new Set([...a.keys(), ...b.keys()])].sort();
  const users = names(v2.users, v3.users).filter((name) => {
    const [before, now] = [v2.users.get(name), v3.users.get(name)];
    if (now === undefined) return seen.has(name);
    return before === undefined || !isEqual(before, now);
  });
  const roles = names(v2.roles, v3.roles).filter((name) => {
    return !grantSame(v2.roles.get(name) ?? NOTHING, v3.roles.get(name) ?? NOTHING);
  });
  return [...users.map((name) => `user ${name}`), ...roles.map((name) => `role ${name}`)];
}

function authChanged(isOn: boolean): CutoverError {
  const now = isOn ? "on" : "off";
  return new CutoverError(`v2 auth was switched ${now} since arm; disarm, and arm again`);
}

/** Says whose passwords are not known. */
export function unseenText(users: readonly string[]): string {
  return `these users have not logged in through a gateway since arm, so their passwords are not known: ${named(users)}`;
}

function named(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  const shown = names.slice(0, MAX_NAMED).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** Both as sets. */
function isEqual(a: readonly string[] | null, b: readonly string[] | null): boolean {
  const [first, second] = [new Set(a), new Set(b)];
  return first.size === second.size && [...first].every((each) => second.has(each));
}

function grantSame({ kv: a }: Permissions, { kv: b }: Permissions): boolean {
  return isEqual(a.read, b.read) && isEqual(a.write, b.write);
}
