import { OptionError } from "../../errors/option-error.js";
import type { Role } from "../../model/auth.js";
import { adminWrite } from "../../wire/admin-request.js";
import {
  isAuthState,
  isRole,
  isRoleList,
  isUser,
  isUserList,
  isUserWithRoleNames,
} from "../../wire/admin-response.js";
import { pathOfNamed } from "../../wire/key-path.js";
import type { AuthApi, PermissionChange, RolesApi, UsersApi } from "../auth-api.js";
import type { CallOptions } from "../call-options.js";
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

/** A role that does not exist and so permits nothing. */
const NO_ROLE = "etcdnet: no role";

function remoteUsers(admin: AdminCaller): UsersApi {
  const pathOf = (name: string): string => pathOfNamed("/v2/auth/users", name);
  const put = async (name: string, content: object, options?: CallOptions) =>
    admin.write(
      adminWrite("PUT", pathOf(name), { user: name, ...content }),
      isUserWithRoleNames,
      options,
    );
  return {
    async list(options) {
      return (await admin.read("/v2/auth/users", isUserList, options)).users ?? [];
    },
    get: async (name, options) => admin.read(pathOf(name), isUser, options),
    async create(name, user, options) {
      requireObject("user", user, '{ password: "…" }');
      const { password, roles = [] } = user;
      if (typeof password !== "string") throw new OptionError("password", "must be a string");
      if (roles.length > 0) return put(name, { password, roles }, options);
      // Without a role, etcd would set the password of an existing user.
      await put(name, { password, roles: [NO_ROLE] }, options);
      return put(name, { revoke: [NO_ROLE] }, options);
    },
    async update(name, change, options) {
      requireObject("change", change, '{ password: "…" } or { grant: ["reader"] }');
      const { password, grant = [], revoke = [] } = change;
      const onlyPassword = password !== undefined && grant.length + revoke.length === 0;
      // Without a change of roles, etcd would create a missing user.
      const roles = onlyPassword ? [NO_ROLE] : [];
      const changes = { grant: [...grant, ...roles], revoke: [...revoke, ...roles] };
      return put(name, { password, ...changes }, options);
    },
    remove: async (name, options) => admin.command(adminWrite("DELETE", pathOf(name)), options),
  };
}

function remoteRoles(admin: AdminCaller): RolesApi {
  const pathOf = (name: string): string => pathOfNamed("/v2/auth/roles", name);
  const put = async (name: string, content: object, options?: CallOptions): Promise<Role> =>
    admin.write(adminWrite("PUT", pathOf(name), { role: name, ...content }), isRole, options);
  return {
    async list(options) {
      return (await admin.read("/v2/auth/roles", isRoleList, options)).roles ?? [];
    },
    get: async (name, options) => admin.read(pathOf(name), isRole, options),
    create: async (name, permissions, options) =>
      put(name, { permissions: kv({ read: [], write: [], ...permissions }) }, options),
    async update(name, change, options) {
      requireObject("change", change, '{ grant: { read: ["/a"] } }');
      const { grant, revoke } = change;
      // Without a change, etcd would create a missing role.
      if (isEmpty(grant) && isEmpty(revoke))
        throw new OptionError("grant, revoke", "give at least one pattern");
      return put(name, { grant: grant && kv(grant), revoke: revoke && kv(revoke) }, options);
    },
    remove: async (name, options) => admin.command(adminWrite("DELETE", pathOf(name)), options),
  };
}

/** @throws TypeError that names the parameter and shows an example of it */
function requireObject(parameter: string, value: unknown, example: string): void {
  if (typeof value === "object" && value !== null) return;
  throw new OptionError(parameter, `must be an object such as ${example}`);
}

function isEmpty({ read = [], write = [] }: PermissionChange = {}): boolean {
  return read.length + write.length === 0;
}

function kv({ read, write }: PermissionChange): { readonly kv: PermissionChange } {
  if (read?.includes("") || write?.includes("")) {
    // etcd accepts an empty pattern, but then aborts every request that it checks against it.
    throw new OptionError("read, write", "an empty pattern permits nothing", 'use "/" or "*"');
  }
  return { kv: { ...(read && { read }), ...(write && { write }) } };
}
