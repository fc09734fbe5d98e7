import { DamagedRecordError } from "../../errors/v3-errors.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { KeyMethod } from "../../wire/key-parameters.js";
import type { KeyGuard } from "../key-guard.js";
import type { ServerRequest } from "../message.js";
import { type AuthStore, GUEST, ROOT, type StoredUser } from "./auth-store.js";
import { readBasicCredentials } from "./basic-credentials.js";
import { type Access, covers } from "./key-patterns.js";
import { PasswordCheck } from "./password-check.js";
import { unlessDamaged } from "./records.js";

/** Who a request comes from; `refused` for credentials that are malformed or wrong. */
type Caller = StoredUser | "guest" | "refused";

/** Decides by the users and roles of v2 auth. While that is off, everybody may do anything. */
export class AuthGuard implements KeyGuard {
  readonly #store: AuthStore;
  readonly #passwords: PasswordCheck;

  constructor(store: AuthStore, passwords = new PasswordCheck()) {
    this.#store = store;
    this.#passwords = passwords;
  }

  async allows(
    request: ServerRequest,
    method: KeyMethod,
    path: string,
    asked: KeyRequest | WatchRequest,
  ): Promise<boolean> {
    if (!(await this.#store.isEnabled())) return true;
    const caller = await this.#callerOf(request);
    if (caller === "refused") return false;
    const kind = method === "GET" || method === "HEAD" ? "read" : "write";
    const recursive = "recursive" in asked && asked.recursive === true;
    // For guests, etcd judges a recursive request as any other.
    return caller === "guest"
      ? this.#anyCovers([GUEST], { kind, key: path, recursive: false })
      : this.#anyCovers(caller.roles ?? [], { kind, key: path, recursive });
  }

  /** Whether a request may do what only root may: change members, and all of auth. */
  async isRoot(request: ServerRequest): Promise<boolean> {
    if (!(await this.#store.isEnabled())) return true;
    const caller = await this.#callerOf(request);
    return typeof caller === "object" && (caller.roles ?? []).includes(ROOT);
  }

  /** The header decides, then the certificate; a header that is no good is not overlooked. */
  async #callerOf({ headers, certificateName }: ServerRequest): Promise<Caller> {
    if (headers.authorization) return this.#authenticate(headers.authorization);
    if (!certificateName) return "guest";
    try {
      return (await this.#store.user(certificateName)) ?? "guest";
    } catch (error) {
      // Guests may have rights that this user lacks.
      if (error instanceof DamagedRecordError) return "refused";
      throw error;
    }
  }

  async #authenticate(header: string): Promise<Caller> {
    const credentials = readBasicCredentials(header);
    if (credentials === undefined) return "refused";
    const user = await unlessDamaged(this.#store.user(credentials.user));
    const right = await this.#passwords.isRight(credentials.password, user?.passwordHash);
    return user !== undefined && right ? user : "refused";
  }

  async #anyCovers(roles: readonly string[], access: Access): Promise<boolean> {
    for (const name of roles) {
      const role = await unlessDamaged(this.#store.role(name));
      if (role !== undefined && covers(role, access)) return true;
    }
    return false;
  }
}
