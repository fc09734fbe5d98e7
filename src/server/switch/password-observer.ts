import type { CutoverState } from "../../cutover/cutover-state.js";
import type { SeenPasswords } from "../../cutover/seen-passwords.js";
import { UnauthorizedError } from "../../errors/common-errors.js";
import { EtcdServerError } from "../../errors/server-error.js";
import type { ResponseOrigin } from "../../model/response.js";
import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";
import { readBasicCredentials } from "../http/basic-credentials.js";
import type { ServerRequest } from "../http/message.js";
import type { ServedKeys } from "../routes/keys-route.js";

/** Errors with a smaller code come from the store: v2 has accepted the credentials before. */
const FIRST_CODE_OF_PARAMETERS = 200;
const RETRY_MS = 1_000;
/** Users whose recorded passwords are remembered. */
const MAX_REMEMBERED = 10_000;
/** Users whose passwords wait to be recorded. The next request of another user is recorded. */
const MAX_WAITING = 1_000;

/** The user of the gateway itself on v2. */
export interface OwnUser {
  readonly name: string;
  readonly password: string | (() => string | Promise<string>);
}

export interface PasswordObserverSettings {
  readonly own: OwnUser | undefined;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  /** The record of passwords since one `arm`. */
  seenSince(id: string): SeenPasswords;
  /** The index of v2, read with quorum. */
  readIndex(): Promise<number>;
  /** Resolves when v2 has accepted the user of the gateway, with the index of the member. */
  checkOwn(): Promise<Pick<ResponseOrigin, "etcdIndex">>;
}

/**
 * Records, while a switch is prepared, the hashes of passwords that v2 accepts, so that its users can log in after the switch.
 * While v2 auth is on, it accepts no request with a wrong password, whatever a key permits. A member that is behind may accept
 * an earlier password, so a response counts only with an index from after the beginning.
 */
export class PasswordObserver {
  readonly #settings: PasswordObserverSettings;
  #id = "";
  /** The index of v2 at the beginning. */
  #begin: Promise<number> = Promise.resolve(0);
  /** The last header that was recorded, by user. */
  readonly #recorded = new Map<string, string>();
  /** Headers that v2 has accepted, and that are not recorded yet, by user. */
  readonly #waiting = new Map<string, Accepted>();
  #isRecording = false;

  constructor(settings: PasswordObserverSettings) {
    this.#settings = settings;
  }

  /** Called when the state of the cut-over has changed, or is not known any more. */
  follow(state: Pick<CutoverState, "phase" | "passwords"> | null | undefined): void {
    if (state === undefined) return;
    const isPrepared = state?.phase === "arming" || state?.phase === "armed";
    const isHeld = state?.phase === "holding";
    const id = isPrepared || isHeld ? state.passwords : "";
    if (id === this.#id) return;
    this.#id = id;
    this.#recorded.clear();
    this.#waiting.clear();
    if (id === "") return;
    this.#begin = this.#retried(id, this.#settings.readIndex);
    this.#begin.then((begin) => this.#recordOwn(id, begin)).catch(() => {});
  }

  /** The keys of v2 for a request, whose password is recorded when v2 accepts it. */
  observe(keys: ServedKeys, { headers: { authorization } }: ServerRequest): ServedKeys {
    if (authorization === undefined) return keys;
    const observed = async <T extends Pick<ResponseOrigin, "etcdIndex">>(
      response: Promise<T>,
    ): Promise<T> => {
      try {
        const result = await response;
        this.#accepted(authorization, result.etcdIndex);
        return result;
      } catch (error) {
        if (isOfStore(error)) this.#accepted(authorization, error.index);
        throw error;
      }
    };
    return {
      execute: (request) => observed(keys.execute(request)),
      openWatch: (request, options) => observed(keys.openWatch(request, options)),
    };
  }

  #accepted(header: string, index: number): void {
    if (this.#id === "") return;
    const credentials = readBasicCredentials(header);
    if (credentials === undefined || this.#recorded.get(credentials.user) === header) return;
    const { user, password } = credentials;
    const isNewest = index >= (this.#waiting.get(user)?.index ?? 0);
    if (!isNewest || this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.set(user, { header, password, index });
    if (!this.#isRecording) void this.#recordWaiting();
  }

  /** One after the other, because hashes take much of the CPU. */
  async #recordWaiting(): Promise<void> {
    this.#isRecording = true;
    try {
      for (;;) {
        const id = this.#id;
        const begin = await this.#begin.catch(() => undefined);
        if (id !== this.#id) continue;
        const [next] = this.#waiting;
        if (next === undefined || begin === undefined) return;
        const [user, { header, password, index }] = next;
        this.#waiting.delete(user);
        if (index < begin) continue;
        // Without it, the next request of the user is recorded.
        await this.#record(id, user, password)
          .then(() => this.#remember(id, user, header))
          .catch(() => {});
      }
    } finally {
      this.#isRecording = false;
    }
  }

  #remember(id: string, user: string, header: string): void {
    if (id !== this.#id) return;
    if (this.#recorded.size >= MAX_REMEMBERED) this.#recorded.clear();
    this.#recorded.set(user, header);
  }

  #record(id: string, user: string, password: Buffer): Promise<void> {
    return this.#settings.seenSince(id).add(user, password);
  }

  async #recordOwn(id: string, begin: number): Promise<void> {
    const { own, checkOwn } = this.#settings;
    if (own === undefined) return;
    await this.#retried(id, async () => {
      const { etcdIndex } = await checkOwn();
      if (etcdIndex < begin) throw new Error("the member is behind");
      const { password } = own;
      const text = typeof password === "string" ? password : await password();
      await this.#record(id, own.name, Buffer.from(text));
    });
  }

  /** @throws Error when passwords are not recorded any more */
  async #retried<T>(id: string, action: () => Promise<T>): Promise<T> {
    const { clock, closing } = this.#settings;
    for (;;) {
      if (id !== this.#id) throw new Error("passwords are not recorded any more");
      try {
        return await action();
      } catch {
        await sleep(RETRY_MS, clock, closing);
      }
    }
  }
}

/** Credentials that v2 has accepted. */
interface Accepted {
  readonly header: string;
  readonly password: Buffer;
  /** Index of the response. */
  readonly index: number;
}

function isOfStore(error: unknown): error is EtcdServerError {
  if (!(error instanceof EtcdServerError) || error instanceof UnauthorizedError) return false;
  return error.errorCode < FIRST_CODE_OF_PARAMETERS;
}
