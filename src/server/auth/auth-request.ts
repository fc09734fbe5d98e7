import { readFirstJson } from "../../go/json-fields.js";
import type { Permissions } from "../../model/auth.js";
import { readJsonBody } from "../http/json-body.js";
import type { ServerRequest } from "../http/message.js";
import type { StoredRole } from "./auth-store.js";
import { memberOf, textOf, textsOf } from "./request-json.js";

/** Maximum size of a user or role. While auth is off, everybody may send one. */
const MAX_BODY_BYTES = 256 * 1024;

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
    user: textOf(memberOf(value, "user")),
    password: textOf(memberOf(value, "password")),
    roles: textsOf(memberOf(value, "roles")),
    grant: textsOf(memberOf(value, "grant")) ?? [],
    revoke: textsOf(memberOf(value, "revoke")) ?? [],
  }));
}

/** Reads the body of a PUT of a role. A new role is stored as it is. */
export function readRoleRequest(request: ServerRequest): Promise<StoredRole> {
  return readBody(request, (value) => {
    const grant = memberOf(value, "grant");
    const revoke = memberOf(value, "revoke");
    return {
      role: textOf(memberOf(value, "role")),
      permissions: permissionsOf(memberOf(value, "permissions")),
      ...(grant !== undefined && { grant: permissionsOf(grant) }),
      ...(revoke !== undefined && { revoke: permissionsOf(revoke) }),
    };
  });
}

function permissionsOf(value: unknown = null): Permissions {
  const kv = memberOf(value, "kv") ?? null;
  return { kv: { read: textsOf(memberOf(kv, "read")), write: textsOf(memberOf(kv, "write")) } };
}

/** Hides the original errors, because they quote the body with its passwords. @throws RequestError 400 */
function readBody<T>(request: ServerRequest, read: (value: unknown) => T): Promise<T> {
  const message = (): string => "Invalid JSON in request body.";
  return readJsonBody(request, MAX_BODY_BYTES, (text) => read(readFirstJson(text)), message);
}
