/**
 * Key patterns of a role. A pattern that ends in `*` covers every key that begins with the rest;
 * any other pattern covers that one key, and never a recursive request.
 */
export interface Permissions {
  readonly kv: {
    readonly read: readonly string[] | null;
    readonly write: readonly string[] | null;
  };
}

/** A role of v2 auth. */
export interface Role {
  readonly role: string;
  readonly permissions: Permissions;
}

/** A user as `GET /v2/auth/users` shows it: with whole roles. */
export interface User {
  readonly user: string;
  /** Absent for a user without roles. */
  readonly roles?: readonly Role[];
}

/** A user as the writes of `/v2/auth/users` answer: with the names of its roles. */
export interface UserWithRoleNames {
  readonly user: string;
  readonly roles: readonly string[] | null;
}
