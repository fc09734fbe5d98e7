import type { Role } from "../../model/auth.js";
import {
  isAuthState,
  isRole,
  isRoleList,
  isUser,
  isUserList,
  isUserWithRoleNames,
} from "../../wire/admin-reply.js";
import { adminWrite } from "../../wire/admin-request.js";
import { percentEncode } from "../../wire/key-path.js";
import type { AuthApi, PermissionChange, RolesApi, UsersApi } from "../auth-api.js";
import type { CallOptions } from "../key-space.js";
import type { AdminCaller } from "./admin-caller.js";

const ENABLE = "/v2/auth/enable";

/** v2 auth of a remote cluster. */
export class RemoteAuth implements AuthApi {
  readonly users: UsersApi;
  readonly roles: RolesApi;
  readonly #admin: AdminCaller;

  constructor(admin: AdminCaller) {
    this.#admin = admin;
    this.users = remoteUsers(admin);
    this.roles = remoteRoles(admin);
  }

  async isEnabled(options?: CallOptions): Promise<boolean> {
    return (await this.#admin.read(ENABLE, isAuthState, options)).enabled;
  }

  enable(options?: CallOptions): Promise<void> {
    return this.#admin.command(adminWrite("PUT", ENABLE), options);
  }

  disable(options?: CallOptions): Promise<void> {
    return this.#admin.command(adminWrite("DELETE", ENABLE), options);
  }
}

function remoteUsers(admin: AdminCaller): UsersApi {
  const pathOf = (name: string): string => `/v2/auth/users/${percentEncode(name)}`;
  const put = (name: string, content: object, options?: CallOptions) =>
    admin.write(
      adminWrite("PUT", pathOf(name), { user: name, ...content }),
      isUserWithRoleNames,
      options,
    );
  return {
    async list(options) {
      return (await admin.read("/v2/auth/users", isUserList, options)).users ?? [];
    },
    get: (name, options) => admin.read(pathOf(name), isUser, options),
    create: (name, { password, roles }, options) => put(name, { password, roles }, options),
    update: (name, { password, grant, revoke }, options) =>
      put(name, { password, grant, revoke }, options),
    remove: (name, options) => admin.command(adminWrite("DELETE", pathOf(name)), options),
  };
}

function remoteRoles(admin: AdminCaller): RolesApi {
  const pathOf = (name: string): string => `/v2/auth/roles/${percentEncode(name)}`;
  const put = (name: string, content: object, options?: CallOptions): Promise<Role> =>
    admin.write(adminWrite("PUT", pathOf(name), { role: name, ...content }), isRole, options);
  return {
    async list(options) {
      return (await admin.read("/v2/auth/roles", isRoleList, options)).roles ?? [];
    },
    get: (name, options) => admin.read(pathOf(name), isRole, options),
    create: (name, permissions, options) =>
      put(name, { permissions: kv({ read: [], write: [], ...permissions }) }, options),
    update: (name, { grant, revoke }, options) =>
      put(name, { grant: grant && kv(grant), revoke: revoke && kv(revoke) }, options),
    remove: (name, options) => admin.command(adminWrite("DELETE", pathOf(name)), options),
  };
}

function kv({ read, write }: PermissionChange): { readonly kv: PermissionChange } {
  return { kv: { ...(read && { read }), ...(write && { write }) } };
}
