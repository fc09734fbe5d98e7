import { isDeepStrictEqual } from "node:util";
import type { StoredUser } from "../../auth/auth-store.js";
import { compareCodePoints } from "../../key-space/shared/code-point-order.js";
import { RequestError } from "../http/request-error.js";

/** A change of a user. */
export interface UserUpdate {
  /** Absent: unchanged. */
  readonly passwordHash: string | undefined;
  readonly grant: readonly string[];
  readonly revoke: readonly string[];
}

/** The user after a change, with sorted roles. @throws RequestError */
export function changedUser(user: StoredUser, change: UserUpdate): StoredUser {
  const { passwordHash = user.passwordHash, grant, revoke } = change;
  const roles = new Set(user.roles);
  for (const role of grant) {
    if (roles.has(role)) {
      throw new RequestError(409, `auth: Granting duplicate role ${role} for user ${user.user}`);
    }
    roles.add(role);
  }
  for (const role of revoke) {
    if (!roles.delete(role)) {
      throw new RequestError(409, `auth: Revoking ungranted role ${role} for user ${user.user}`);
    }
  }
  const changed = { ...user, passwordHash, roles: [...roles].sort(compareCodePoints) };
  if (!isDeepStrictEqual(changed, user)) return changed;
  throw new RequestError(
    400,
    "auth: User not updated. Use grant/revoke/password to update the user.",
  );
}
