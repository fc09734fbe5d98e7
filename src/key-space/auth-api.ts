import type { Role, User, UserWithRoleNames } from "../model/auth.js";
import type { CallOptions } from "./key-space.js";

/** What a new user is given. */
export interface NewUser {
  readonly password: string;
  /** Names of roles, which need not exist yet. */
  readonly roles?: readonly string[];
}

/** What changes about a user; at least one of them. */
export interface UserChange {
  readonly password?: string;
  readonly grant?: readonly string[];
  readonly revoke?: readonly string[];
}

/** Key patterns to give or take; an absent list changes nothing. */
export interface PermissionChange {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
}

/** What changes about a role; at least one of them. */
export interface RoleChange {
  readonly grant?: PermissionChange;
  readonly revoke?: PermissionChange;
}

/**
 * v2 auth: users, roles, and whether it is enforced. Everything but `isEnabled` needs user `root`
 * once it is. Refusals are `AdminError`s, with etcd's sentence as `detail`.
 */
export interface AuthApi {
  readonly users: UsersApi;
  readonly roles: RolesApi;

  isEnabled(options?: CallOptions): Promise<boolean>;

  /**
   * Enforces auth. A role `guest` that may do everything is made if there is none: restrict it.
   *
   * @throws AdminError 409 without a user `root`, when already enabled, and without a leader
   */
  enable(options?: CallOptions): Promise<void>;

  /** @throws AdminError 409 when already disabled */
  disable(options?: CallOptions): Promise<void>;
}

/** Users of v2 auth. */
export interface UsersApi {
  /** All users, by name, with their roles. */
  list(options?: CallOptions): Promise<readonly User[]>;

  /** @throws AdminError 404 for an unknown user, or one of whose roles does not exist */
  get(name: string, options?: CallOptions): Promise<User>;

  /** @throws AdminError 409 when the user exists, 400 for an empty password */
  create(name: string, user: NewUser, options?: CallOptions): Promise<UserWithRoleNames>;

  /** @throws AdminError 404, 400 when nothing changes, 409 for a role held already or not held */
  update(name: string, change: UserChange, options?: CallOptions): Promise<UserWithRoleNames>;

  /** @throws AdminError 404, and 403 for `root` while auth is enabled */
  remove(name: string, options?: CallOptions): Promise<void>;
}

/** Roles of v2 auth. */
export interface RolesApi {
  /** All roles, by name; `root` is always there. */
  list(options?: CallOptions): Promise<readonly Role[]>;

  /** @throws AdminError 404 */
  get(name: string, options?: CallOptions): Promise<Role>;

  /** @throws AdminError 409 when the role exists, 403 for `root` */
  create(name: string, permissions: PermissionChange, options?: CallOptions): Promise<Role>;

  /** @throws AdminError 404, 409 for a pattern granted already, 400 when nothing changes */
  update(name: string, change: RoleChange, options?: CallOptions): Promise<Role>;

  /** @throws AdminError 404, and 403 for `root` */
  remove(name: string, options?: CallOptions): Promise<void>;
}
