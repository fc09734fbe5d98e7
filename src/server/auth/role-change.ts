import { isDeepStrictEqual } from "node:util";
import type { StoredRole } from "../../auth/auth-store.js";
import { compareCodePoints } from "../../key-space/shared/code-point-order.js";
import type { Permissions } from "../../model/auth.js";
import { RequestError } from "../http/request-error.js";

/** A change of a role. */
export interface RoleUpdate {
  readonly grant?: Permissions;
  readonly revoke?: Permissions;
}

/** The role after a change. @throws RequestError */
export function changedRole(role: StoredRole, { grant, revoke }: RoleUpdate): StoredRole {
  const granted = grant === undefined ? role.permissions : withGranted(role.permissions, grant);
  const permissions = revoke === undefined ? granted : withoutRevoked(granted, revoke);
  const changed = { role: role.role, permissions };
  if (!isDeepStrictEqual(changed, role)) return changed;
  throw new RequestError(400, "auth: Role not updated. Use grant/revoke to update the role.");
}

/** Whether permissions are absent or empty. */
export function hasNoPermissions(permissions: Permissions | undefined): boolean {
  const { read, write } = permissions?.kv ?? {};
  return !read?.length && !write?.length;
}

function withGranted({ kv }: Permissions, { kv: given }: Permissions): Permissions {
  const add = (kind: "read" | "write"): readonly string[] => {
    const patterns = new Set(kv[kind]);
    for (const pattern of given[kind] ?? []) {
      if (patterns.has(pattern)) {
        throw new RequestError(409, `auth: Granting duplicate ${kind} permission ${pattern}`);
      }
      patterns.add(pattern);
    }
    return [...patterns].sort(compareCodePoints);
  };
  return { kv: { read: add("read"), write: add("write") } };
}

/** Ignores permissions that were not granted. */
function withoutRevoked({ kv }: Permissions, { kv: taken }: Permissions): Permissions {
  const without = (kind: "read" | "write"): readonly string[] => {
    const patterns = new Set(kv[kind]);
    for (const pattern of taken[kind] ?? []) patterns.delete(pattern);
    return [...patterns].sort(compareCodePoints);
  };
  return { kv: { read: without("read"), write: without("write") } };
}
