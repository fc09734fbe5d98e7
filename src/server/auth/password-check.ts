import { createHmac, randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";
import { availableParallelism } from "node:os";
import { UNKNOWN_USER_HASH, verifyPassword } from "../../auth/password.js";
import { AbortError } from "../../errors/abort-error.js";
import { abortable } from "../../stream/abortable.js";
import { onAbort } from "../../stream/on-abort.js";
import { type Clock, systemClock } from "../../time/clock.js";
import type { ServerRequest } from "../http/message.js";
import { CheckQueue } from "./check-queue.js";
import { FailureLog } from "./failure-log.js";
import { RecentMap } from "./recent-map.js";

/** Number of correct passwords that are remembered. */
const DEFAULT_MAX_PASSWORDS = 1000;

/** A password sent by a client for a user. */
export interface PasswordAttempt {
  /** The user's name. */
  readonly user: string;
  readonly password: Buffer;
  /** The stored hash of the user; `undefined` if the user does not exist. */
  readonly hash: string | undefined;
}

/** The client that sent the password. */
export type AttemptSource = Pick<ServerRequest, "remoteAddress" | "connection" | "signal">;

/** How a {@link PasswordCheck} works. */
export interface PasswordCheckOptions {
  /** Maximum number of remembered passwords. @default 1000 */
  readonly capacity?: number;
  readonly verify?: typeof verifyPassword;
  readonly clock?: Clock;
  /** Maximum number of concurrent checks. @default half of libuv's threads, and one core less than all */
  readonly concurrency?: number;
}

/** A check that is queued or running, and the number of requests that wait for it. */
interface SharedCheck {
  readonly result: Promise<boolean>;
  readonly abandon: AbortController;
  requests: number;
}

/**
 * Checks passwords, and recognizes a known correct one without the cost of scrypt. The check of a wrong
 * password, and of any password of an unknown user, always takes the full time. To recognize a correct
 * password, it stores a MAC of hash and password with a key of this process: the MAC is useless in
 * another process, and invalid after the stored hash changes.
 *
 * Checks wait in a {@link CheckQueue}, in which clients take turns. Equal checks of one client are merged.
 * Among the checks of one client, those from a connection with few attempts run first, then those for a
 * user without wrong passwords, then the newest. So a first login does not wait behind a flood from the
 * same address. After ten wrong passwords in a row for a user, a client gets one check per second for that
 * user.
 */
export class PasswordCheck {
  readonly #key = randomBytes(32);
  readonly #verified: RecentMap<true>;
  /** Checks in progress, by the MAC of user, password and network. */
  readonly #shared = new Map<string, SharedCheck>();
  readonly #verify: typeof verifyPassword;
  readonly #failures: FailureLog;
  /** Attempts on a connection since its last correct password, also those that were refused. */
  readonly #attempts = new WeakMap<object, number>();
  readonly #queue: CheckQueue;

  constructor(options: PasswordCheckOptions = {}) {
    const {
      capacity = DEFAULT_MAX_PASSWORDS,
      verify = verifyPassword,
      clock = systemClock,
    } = options;
    this.#verified = new RecentMap(capacity);
    this.#verify = verify;
    this.#failures = new FailureLog(clock);
    this.#queue = new CheckQueue(options.concurrency ?? defaultConcurrency(), clock);
  }

  /** Whether a password was already found correct; without the cost of a check. */
  isKnown(password: Buffer, hash: string): boolean {
    return this.#verified.get(this.#macOf(hash, password)) !== undefined;
  }

  /**
   * Whether a password is correct. A queued check is dropped when all clients that wait for it have
   * disconnected.
   *
   * @throws OverloadError when too many checks wait; AbortError when the client has disconnected
   */
  async isCorrect(attempt: PasswordAttempt, source: AttemptSource): Promise<boolean> {
    const id = this.#macOf(
      `${attempt.hash}\0${networkOf(source.remoteAddress)}\0${attempt.user}`,
      attempt.password,
    );
    const check = this.#shared.get(id) ?? this.#begin(id, attempt, source);
    check.requests++;
    try {
      return await abortable(
        check.result,
        source.signal,
        (reason) => new AbortError("password check", reason, "none"),
      );
    } finally {
      if (--check.requests === 0) check.abandon.abort();
    }
  }

  #begin(id: string, attempt: PasswordAttempt, source: AttemptSource): SharedCheck {
    const abandon = new AbortController();
    const forget = (): void => {
      if (this.#shared.get(id) === check) this.#shared.delete(id);
    };
    const result = this.#enqueue(attempt, source, abandon.signal).finally(forget);
    const check: SharedCheck = { result, abandon, requests: 0 };
    // No further request may join a dropped check.
    onAbort(abandon.signal, forget);
    this.#shared.set(id, check);
    return check;
  }

  #enqueue(attempt: PasswordAttempt, source: AttemptSource, signal: AbortSignal): Promise<boolean> {
    const { remoteAddress, connection = {} } = source;
    const client = networkOf(remoteAddress);
    const pair = this.#macOf(client, Buffer.from(attempt.user));
    const attempts = this.#attempts.get(connection) ?? 0;
    this.#attempts.set(connection, attempts + 1);
    return this.#queue.run({
      client,
      signal,
      cost: () => 2 * attempts + (this.#failures.failures(pair) > 0 ? 1 : 0),
      delay: () => this.#failures.delay(pair),
      run: async () => {
        // Another request may have verified the same password while this one waited.
        if (attempt.hash !== undefined && this.isKnown(attempt.password, attempt.hash)) return true;
        this.#failures.begin(pair);
        const isCorrect = await this.#matches(attempt);
        this.#failures.end(pair, isCorrect);
        if (isCorrect) this.#attempts.delete(connection);
        return isCorrect;
      },
    });
  }

  async #matches({ password, hash }: PasswordAttempt): Promise<boolean> {
    const matches = await this.#verify(password, hash ?? UNKNOWN_USER_HASH);
    if (!matches || hash === undefined) return false;
    this.#verified.set(this.#macOf(hash, password), true);
    return true;
  }

  #macOf(text: string, password: Buffer): string {
    return createHmac("sha256", this.#key).update(`${text}\0`).update(password).digest("base64");
  }
}

/** At most half of libuv's threads, which also read files and resolve names. Leaves a core to the main thread. */
function defaultConcurrency(): number {
  const threads = Number(process.env.UV_THREADPOOL_SIZE) || 4;
  return Math.max(1, Math.min(2, Math.floor(threads / 2), availableParallelism() - 1));
}

/** The IPv4 address of a client, or its IPv6 network (/64), because one client can use all its addresses. */
function networkOf(address = ""): string {
  if (!isIPv6(address) || address.includes(".")) return address;
  const [head = [], tail = []] = address.split("::").map((part) => part.split(":"));
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0");
  return [...head, ...zeros, ...tail].slice(0, 4).join(":");
}
