import type { Permissions, Role } from "../model/auth.js";
import { isObject } from "../wire/json.js";
import { isPasswordHash } from "./password.js";
import type { RecordKind } from "./records.js";

/** A user as stored. */
export interface StoredUser {
  readonly user: string;
  readonly passwordHash: string;
  /** Names of roles, which need not exist; etcd distinguishes a missing list from an empty one. */
  readonly roles: readonly string[] | null;
}

/** A role as stored: the object as it was created, with any empty `grant` or `revoke`. */
export interface StoredRole extends Role {
  readonly grant?: Permissions;
  readonly revoke?: Permissions;
}

export const USERS: RecordKind<StoredUser> = {
  directory: "/users",
  read: (json, name) => (isStoredUser(json) && json.user === name ? json : undefined),
};

export const ROLES: RecordKind<StoredRole> = {
  directory: "/roles",
  read: (json, name) => (isStoredRole(json) && json.role === name ? json : undefined),
};

function isStoredUser(json: unknown): json is StoredUser {
  return isObject(json) && isPasswordHash(json.passwordHash) && isTexts(json.roles);
}

function isStoredRole(json: unknown): json is StoredRole {
  if (!isObject(json) || !isPermissions(json.permissions)) return false;
  return [json.grant, json.revoke].every((given) => given === undefined || isPermissions(given));
}

function isPermissions(json: unknown): json is Permissions {
  return isObject(json) && isObject(json.kv) && isTexts(json.kv.read) && isTexts(json.kv.write);
}

function isTexts(json: unknown): json is readonly string[] | null {
  return json === null || (Array.isArray(json) && json.every((text) => typeof text === "string"));
}
