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

/**
 * Reads the users and roles of v2, as of this moment. While auth is off, they have no effect, and are not read.
 *
 * @throws CutoverError when the user of the client may not read them
 */
export async function readUsers(
  source: EtcdClient,
  memberAt: MemberAt | undefined,
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
    const [users, roles] = [await auth.users.list(), await auth.roles.list()];
    const names = users.map(
      (user) => [user.user, (user.roles ?? []).map(({ role }) => role)] as const,
    );
    const permissions = roles.map(
      ({ role, permissions: { kv } }) =>
        // What a way back adds is not of the operator.
        [
          role,
          { kv: { ...kv, write: (kv.write ?? []).filter((key) => key !== INDEX_KEY) } },
        ] as const,
    );
    return {
      isAuthOn: true,
      users: new Map(names),
      roles: new Map(permissions.filter(([role]) => role !== ROOT)),
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
