import type { StoredRole } from "../../auth/auth-store.js";
import { readFirstJson } from "../../go/json-fields.js";
import type { Permissions } from "../../model/auth.js";
import { readJsonBody } from "../http/json-body.js";
import type { ServerRequest } from "../http/message.js";
import { propertyOf, stringOf, stringsOf } from "./request-json.js";

/** Maximum size of a user or role. While auth is off, any client may send one. */
const MAX_AUTH_BODY_BYTES = 256 * 1024;

/** The body of a PUT of a user; other members are ignored. */
export interface UserRequest {
  readonly user: string;
  readonly password: string;
  readonly roles: readonly string[] | null;
  readonly grant: readonly string[];
  readonly revoke: readonly string[];
}

/** @throws RequestError 400 */
export function readUserRequest(request: ServerRequest): Promise<UserRequest> {
  return readBody(request, (value) => ({
    user: stringOf(propertyOf(value, "user")),
    password: stringOf(propertyOf(value, "password")),
    roles: stringsOf(propertyOf(value, "roles")),
    grant: stringsOf(propertyOf(value, "grant")) ?? [],
    revoke: stringsOf(propertyOf(value, "revoke")) ?? [],
  }));
}

/** Reads the body of a PUT of a role. A new role is stored as it is. */
export function readRoleRequest(request: ServerRequest): Promise<StoredRole> {
  return readBody(request, (value) => {
    const grant = propertyOf(value, "grant");
    const revoke = propertyOf(value, "revoke");
    return {
      role: stringOf(propertyOf(value, "role")),
      permissions: permissionsOf(propertyOf(value, "permissions")),
      ...(grant !== undefined && { grant: permissionsOf(grant) }),
      ...(revoke !== undefined && { revoke: permissionsOf(revoke) }),
    };
  });
}

function permissionsOf(value: unknown = null): Permissions {
  const kv = propertyOf(value, "kv") ?? null;
  return {
    kv: { read: stringsOf(propertyOf(kv, "read")), write: stringsOf(propertyOf(kv, "write")) },
  };
}

/** Hides the original errors, because they quote the body with its passwords. @throws RequestError 400 */
function readBody<T>(request: ServerRequest, read: (value: unknown) => T): Promise<T> {
  const message = (): string => "Invalid JSON in request body.";
  return readJsonBody(request, MAX_AUTH_BODY_BYTES, (text) => read(readFirstJson(text)), message);
}
