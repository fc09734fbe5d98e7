import type { Permissions } from "../model/auth.js";
import { isObject, readJson } from "../wire/json.js";
import { textOf } from "./bytes.js";
import type { V2Store } from "./v2-store.js";

const USERS = "/2/users/";
const ROLES = "/2/roles/";
const ENABLED = "/2/enabled";

/** Users and roles of v2 auth. Passwords are left out. */
export interface AuthRecords {
  readonly enabled: boolean;
  readonly users: readonly { readonly user: string; readonly roles: readonly string[] }[];
  readonly roles: readonly { readonly role: string; readonly permissions: Permissions }[];
}

/** Undefined for a cluster that never had users or roles. */
export function authRecordsOf(store: V2Store): AuthRecords | undefined {
  const values = store.nodes.flatMap(([path, value]) =>
    value !== null && path.startsWith("/2/") ? [[path, value] as const] : [],
  );
  if (values.length === 0) return undefined;
  const named = (directory: string) =>
    values
      .filter(([path]) => path.startsWith(directory))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, value]) => ({ name: textOf(path.slice(directory.length)), ...read(value) }));
  return {
    enabled: store.value(ENABLED) === "true",
    users: named(USERS).map(({ name, roles }) => ({ user: name, roles: textsOf(roles) })),
    roles: named(ROLES).map(({ name, permissions }) => {
      const kv = isObject(permissions) && isObject(permissions.kv) ? permissions.kv : {};
      return {
        role: name,
        permissions: { kv: { read: textsOf(kv.read), write: textsOf(kv.write) } },
      };
    }),
  };
}

function read(json: string): { readonly roles?: unknown; readonly permissions?: unknown } {
  try {
    const value = readJson(textOf(json));
    return isObject(value) ? { roles: value.roles, permissions: value.permissions } : {};
  } catch {
    return {};
  }
}

function textsOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}
