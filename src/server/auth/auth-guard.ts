import { type AuthStore, GUEST, ROOT, type StoredUser } from "../../auth/auth-store.js";
import { unlessDamaged } from "../../auth/records.js";
import { DamagedRecordError } from "../../errors/v3-errors.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { KeyMethod } from "../../wire/key-parameters.js";
import { readBasicCredentials } from "../http/basic-credentials.js";
import type { ServerRequest } from "../http/message.js";
import type { KeyGuard, MaybePromise, Permit } from "./key-guard.js";
import { type Access, covers } from "./key-patterns.js";
import { PasswordCheck } from "./password-check.js";
import { WatchReview } from "./watch-review.js";

/**
 * The caller of a request; `anybody` while auth is off, `refused` if the credentials are malformed or
 * wrong.
 */
type Caller = StoredUser | "anybody" | "guest" | "refused";

/** Checks requests against the users and roles of v2 auth. While auth is off, everything is allowed. */
export class AuthGuard implements KeyGuard {
  readonly #store: AuthStore;
  readonly #passwords: PasswordCheck;
  readonly #watches: WatchReview;

  constructor(store: AuthStore, passwords = new PasswordCheck(), watches = new WatchReview(store)) {
    this.#store = store;
    this.#passwords = passwords;
    this.#watches = watches;
  }

  permit(
    request: ServerRequest,
    method: KeyMethod,
    path: string,
    operation: KeyRequest | WatchRequest,
  ): MaybePromise<Permit | undefined> {
    const kind = method === "GET" || method === "HEAD" ? "read" : "write";
    const recursive = "recursive" in operation && operation.recursive === true;
    const access: Access = { kind, key: path, recursive };
    // Most requests: each promise that is avoided counts.
    if (this.#store.isKnownOff) return this.#permitFor(request, access, "anybody");
    return this.#check(request, access);
  }

  async #check(request: ServerRequest, access: Access): Promise<Permit | undefined> {
    const caller = await this.#callerOf(request);
    if (!(await this.#allows(caller, access))) return undefined;
    return this.#permitFor(request, access, caller);
  }

  #permitFor(request: ServerRequest, access: Access, caller: Caller): Permit {
    const permit: Permit = {
      isValid: () => this.#store.isKnownOff || this.#isStillAllowed(request, access, caller),
      guard: (watch) => this.#watches.add(permit, watch),
    };
    return permit;
  }

  async #isStillAllowed(request: ServerRequest, access: Access, caller: Caller): Promise<boolean> {
    return this.#allows(await this.#callerNow(request, caller), access);
  }

  /** Whether a request may change members, users and roles, which only root may. */
  async isRoot(request: ServerRequest): Promise<boolean> {
    const caller = await this.#callerOf(request);
    if (caller === "anybody") return true;
    return typeof caller === "object" && (caller.roles ?? []).includes(ROOT);
  }

  async #callerOf(request: ServerRequest): Promise<Caller> {
    return (await this.#store.isEnabled()) ? this.#identify(request) : "anybody";
  }

  /** The current state of a caller. The password is checked again only if the stored hash has changed. */
  async #callerNow(request: ServerRequest, before: Caller): Promise<Caller> {
    if (!(await this.#store.isEnabled())) return "anybody";
    if (typeof before !== "object" || !request.headers.authorization) {
      return this.#identify(request);
    }
    const user = await unlessDamaged(this.#store.user(before.user));
    return user?.passwordHash === before.passwordHash ? user : "refused";
  }

  /** Identifies the caller by the header, even if it is invalid; without a header, by the certificate. */
  async #identify(request: ServerRequest): Promise<Caller> {
    const { headers, certificateName } = request;
    if (headers.authorization) return this.#authenticate(headers.authorization, request);
    if (!certificateName) return "guest";
    try {
      return (await this.#store.user(certificateName)) ?? "guest";
    } catch (error) {
      // Not "guest": guests may have permissions that this user does not have.
      if (error instanceof DamagedRecordError) return "refused";
      throw error;
    }
  }

  /** Reads the user again after each check, because the check may have waited in a queue. */
  async #authenticate(header: string, request: ServerRequest): Promise<Caller> {
    const credentials = readBasicCredentials(header);
    if (credentials === undefined) return "refused";
    const { user: name, password } = credentials;
    for (;;) {
      const user = await unlessDamaged(this.#store.user(name));
      if (user !== undefined && this.#passwords.isKnown(password, user.passwordHash)) return user;
      const attempt = { user: name, password, hash: user?.passwordHash };
      if (!(await this.#passwords.isCorrect(attempt, request))) return "refused";
    }
  }

  async #allows(caller: Caller, access: Access): Promise<boolean> {
    if (caller === "anybody") return true;
    if (caller === "refused") return false;
    // For guests, etcd ignores whether a request is recursive.
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
