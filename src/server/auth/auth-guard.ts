import { DamagedRecordError } from "../../errors/v3-errors.js";
import type { KeyWatch } from "../../key-space/key-space.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { KeyMethod } from "../../wire/key-parameters.js";
import type { ServerRequest } from "../http/message.js";
import { type AuthStore, GUEST, ROOT, type StoredUser } from "./auth-store.js";
import { readBasicCredentials } from "./basic-credentials.js";
import type { KeyGuard, Permit } from "./key-guard.js";
import { type Access, covers } from "./key-patterns.js";
import { PasswordCheck } from "./password-check.js";
import { unlessDamaged } from "./records.js";
import { WatchReview } from "./watch-review.js";

/**
 * Who a request comes from; `anybody` while auth is off, `refused` for credentials that are malformed
 * or wrong.
 */
type Caller = StoredUser | "anybody" | "guest" | "refused";

/** Decides by the users and roles of v2 auth. While that is off, everybody may do anything. */
export class AuthGuard implements KeyGuard {
  readonly #store: AuthStore;
  readonly #passwords: PasswordCheck;
  readonly #watches: WatchReview;

  constructor(store: AuthStore, passwords = new PasswordCheck(), watches = new WatchReview(store)) {
    this.#store = store;
    this.#passwords = passwords;
    this.#watches = watches;
  }

  async permit(
    request: ServerRequest,
    method: KeyMethod,
    path: string,
    asked: KeyRequest | WatchRequest,
  ): Promise<Permit | undefined> {
    const kind = method === "GET" || method === "HEAD" ? "read" : "write";
    const recursive = "recursive" in asked && asked.recursive === true;
    const access: Access = { kind, key: path, recursive };
    const caller = await this.#callerOf(request);
    if (!(await this.#allows(caller, access))) return undefined;
    const permit = {
      holds: async () => this.#allows(await this.#callerNow(request, caller), access),
      guard: (watch: Pick<KeyWatch, "close">) => this.#watches.add(permit, watch),
    };
    return permit;
  }

  /** Whether a request may do what only root may: change members, and all of auth. */
  async isRoot(request: ServerRequest): Promise<boolean> {
    const caller = await this.#callerOf(request);
    if (caller === "anybody") return true;
    return typeof caller === "object" && (caller.roles ?? []).includes(ROOT);
  }

  async #callerOf(request: ServerRequest): Promise<Caller> {
    return (await this.#store.isEnabled()) ? this.#identify(request) : "anybody";
  }

  /** The caller as it is now. A password is not checked again, unless it has changed. */
  async #callerNow(request: ServerRequest, before: Caller): Promise<Caller> {
    if (!(await this.#store.isEnabled())) return "anybody";
    if (typeof before !== "object" || !request.headers.authorization) {
      return this.#identify(request);
    }
    const user = await unlessDamaged(this.#store.user(before.user));
    return user?.passwordHash === before.passwordHash ? user : "refused";
  }

  /** The header decides, then the certificate; a header that is no good is not overlooked. */
  async #identify(request: ServerRequest): Promise<Caller> {
    const { headers, certificateName } = request;
    if (headers.authorization) return this.#authenticate(headers.authorization, request);
    if (!certificateName) return "guest";
    try {
      return (await this.#store.user(certificateName)) ?? "guest";
    } catch (error) {
      // Guests may have rights that this user lacks.
      if (error instanceof DamagedRecordError) return "refused";
      throw error;
    }
  }

  /** A check takes its time, and others come first: the user counts as it is after the check. */
  async #authenticate(header: string, request: ServerRequest): Promise<Caller> {
    const credentials = readBasicCredentials(header);
    if (credentials === undefined) return "refused";
    const { user: name, password } = credentials;
    for (;;) {
      const user = await unlessDamaged(this.#store.user(name));
      if (user !== undefined && this.#passwords.isKnown(password, user.passwordHash)) return user;
      const claim = { user: name, password, hash: user?.passwordHash };
      if (!(await this.#passwords.isRight(claim, request))) return "refused";
    }
  }

  async #allows(caller: Caller, access: Access): Promise<boolean> {
    if (caller === "anybody") return true;
    if (caller === "refused") return false;
    // For guests, etcd judges a recursive request as any other.
    return caller === "guest"
      ? this.#anyCovers([GUEST], { ...access, recursive: false })
      : this.#anyCovers(caller.roles ?? [], access);
  }

  async #anyCovers(roles: readonly string[], access: Access): Promise<boolean> {
    for (const name of roles) {
      const role = await unlessDamaged(this.#store.role(name));
      if (role !== undefined && covers(role, access)) return true;
    }
    return false;
  }
}
