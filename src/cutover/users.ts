import { type AuthStore, ROOT } from "../auth/auth-store.js";
import type { EtcdClient } from "../client/etcd-client.js";
import { AdminError } from "../errors/admin-error.js";
import { CutoverError } from "../errors/cutover-error.js";
import { OptionError } from "../errors/option-error.js";
import { readIndex } from "../key-space/shared/read-state.js";
import type { Permissions } from "../model/auth.js";
import { INDEX_KEY } from "./index-raiser.js";

/** Opens a client of one member of v2, with the same user. */
export type MemberAt = (url: string) => EtcdClient;

/** Users and roles of v2 auth. v2 gives passwords to nobody. */
export interface Users {
  readonly isAuthOn: boolean;
  /** Names of roles by user. */
  readonly users: ReadonlyMap<string, readonly string[]>;
  /** Without `root`. */
  readonly roles: ReadonlyMap<string, Permissions>;
}

const NOBODY: Users = { isAuthOn: false, users: new Map(), roles: new Map() };

/** Names of users and roles. */
export interface KnownNames {
  readonly users: Iterable<string>;
  readonly roles: Iterable<string>;
}

const NO_NAMES: KnownNames = { users: [], roles: [] };

/**
 * Reads the users and roles of v2, as of this moment. While auth is off, they have no effect, and are not read.
 *
 * @param known v2 does not list names that begin with `_`. These are read too, and the roles of all users
 * @throws CutoverError when the user of the client may not read them
 */
export async function readUsers(
  source: EtcdClient,
  memberAt: MemberAt | undefined,
  known: KnownNames = NO_NAMES,
): Promise<Users> {
  // v2 reads users without a quorum. This member has everything from before.
  const { etcdServer } = await readIndex(source.keySpace, {});
  if (memberAt === undefined) {
    if (!(await source.auth.isEnabled())) return NOBODY;
    throw new OptionError("memberAt", "is needed while v2 auth is on");
  }
  await using member = memberAt(etcdServer);
  const { auth } = member;
  if (!(await auth.isEnabled())) return NOBODY;
  try {
    const users = [...(await auth.users.list())];
    for (const name of hiddenOf(known.users)) {
      users.push(...(await unlessMissing(auth.users.get(name))));
    }
    const roles = [...(await auth.roles.list()), ...users.flatMap((user) => user.roles ?? [])];
    for (const name of hiddenOf(known.roles)) {
      roles.push(...(await unlessMissing(auth.roles.get(name))));
    }
    return {
      isAuthOn: true,
      users: new Map(
        users.map((user) => [user.user, (user.roles ?? []).map(({ role }) => role)] as const),
      ),
      roles: new Map(
        roles
          .filter(({ role }) => role !== ROOT)
          .map(({ role, permissions }) => [role, ofOperator(permissions)] as const),
      ),
    };
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    throw new CutoverError("v2 auth is on, and only a user with the role root can read its users", {
      cause: error,
      option: "sourceUsername",
      hint: (name) => `name it with ${name("sourceUsername")}`,
    });
  }
}

function hiddenOf(names: Iterable<string>): readonly string[] {
  return [...names].filter((name) => name.startsWith("_"));
}

/** Empty when v2 does not have it. */
async function unlessMissing<T>(reading: Promise<T>): Promise<readonly T[]> {
  try {
    return [await reading];
  } catch (error) {
    if (error instanceof AdminError && error.status === 404) return [];
    throw error;
  }
}

/** Without what a way back adds. */
function ofOperator({ kv }: Permissions): Permissions {
  return { kv: { ...kv, write: (kv.write ?? []).filter((key) => key !== INDEX_KEY) } };
}

/** The users and roles that gateways of v3 enforce. */
export async function readStoredUsers(store: AuthStore): Promise<Users> {
  if (!(await store.isEnabled())) return NOBODY;
  const [users, roles] = [await store.users(), await store.roles()];
  return {
    isAuthOn: true,
    users: new Map(users.map((user) => [user.user, user.roles ?? []])),
    roles: new Map(
      roles.filter(({ role }) => role !== ROOT).map(({ role, permissions }) => [role, permissions]),
    ),
  };
}
