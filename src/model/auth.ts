/**
 * Key patterns of a role. A pattern that ends in `*` covers all keys with the preceding text as a prefix. Any
 * other pattern covers exactly one key, and no recursive request.
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

/** A user in the format of `GET /v2/auth/users`: with complete roles. */
export interface User {
  readonly user: string;
  /** Absent for a user without roles. */
  readonly roles?: readonly Role[];
}

/** A user in the format of responses to writes of `/v2/auth/users`: with the names of its roles. */
export interface UserWithRoleNames {
  readonly user: string;
  readonly roles: readonly string[] | null;
}
