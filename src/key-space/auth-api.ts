import type { Role, User, UserWithRoleNames } from "../model/auth.js";
import type { CallOptions } from "./call-options.js";

/** Data of a new user. */
export interface NewUser {
  readonly password: string;
  /** Names of roles. They need not exist yet. */
  readonly roles?: readonly string[] | undefined;
}

/** Changes of a user; at least one is required. */
export interface UserChange {
  readonly password?: string | undefined;
  readonly grant?: readonly string[] | undefined;
  readonly revoke?: readonly string[] | undefined;
}

/** Key patterns to grant or revoke; an absent list changes nothing. */
export interface PermissionChange {
  readonly read?: readonly string[] | undefined;
  readonly write?: readonly string[] | undefined;
}

/** Changes of a role; at least one is required. */
export interface RoleChange {
  readonly grant?: PermissionChange | undefined;
  readonly revoke?: PermissionChange | undefined;
}

/**
 * v2 auth: users, roles, and whether auth is enabled. While it is enabled, everything except
 * `isEnabled` needs user `root`. Refusals are `AdminError`s with etcd's message as `detail`.
 */
export interface AuthApi {
  readonly users: UsersApi;
  readonly roles: RolesApi;

  isEnabled(options?: CallOptions): Promise<boolean>;

  /**
   * Enables auth. If there is no role `guest`, etcd creates one that permits everything: restrict
   * it.
   *
   * @throws AdminError 409 without a user `root`, when already enabled, and without a leader
   */
  enable(options?: CallOptions): Promise<void>;

  /** @throws AdminError 409 when already disabled */
  disable(options?: CallOptions): Promise<void>;
}

/** Users of v2 auth. */
export interface UsersApi {
  /** All users with their roles, sorted by name. */
  list(options?: CallOptions): Promise<readonly User[]>;

  /** @throws AdminError 404 for an unknown user, or when one of its roles does not exist */
  get(name: string, options?: CallOptions): Promise<User>;

  /** @throws AdminError 409 when the user exists, 400 for an empty password */
  create(name: string, user: NewUser, options?: CallOptions): Promise<UserWithRoleNames>;

  /**
   * @throws AdminError 404, 400 when nothing changes, 409 for a role that is already granted, or
   * revoked but not granted
   */
  update(name: string, change: UserChange, options?: CallOptions): Promise<UserWithRoleNames>;

  /** @throws AdminError 404, and 403 for `root` while auth is enabled */
  remove(name: string, options?: CallOptions): Promise<void>;
}

/** Roles of v2 auth. */
export interface RolesApi {
  /** All roles, sorted by name; `root` always exists. */
  list(options?: CallOptions): Promise<readonly Role[]>;

  /** @throws AdminError 404 */
  get(name: string, options?: CallOptions): Promise<Role>;

  /** @throws AdminError 409 when the role exists, 403 for `root` */
  create(name: string, permissions: PermissionChange, options?: CallOptions): Promise<Role>;

  /** @throws AdminError 404, 409 for a pattern that is already granted, 400 when nothing changes */
  update(name: string, change: RoleChange, options?: CallOptions): Promise<Role>;

  /** @throws AdminError 404, and 403 for `root` */
  remove(name: string, options?: CallOptions): Promise<void>;
}
