import type { CutoverState } from "../../cutover/cutover-state.js";
import type { SeenPasswords } from "../../cutover/seen-passwords.js";
import { UnauthorizedError } from "../../errors/common-errors.js";
import { EtcdServerError } from "../../errors/server-error.js";
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
  /** Resolves when v2 has accepted the user of the gateway. */
  checkOwn(): Promise<unknown>;
}

/**
 * Records, while a switch is prepared, the hashes of passwords that v2 accepts, so that its users can log in after the switch.
 * While v2 auth is on, it accepts no request with a wrong password, whatever a key permits.
 */
export class PasswordObserver {
  readonly #settings: PasswordObserverSettings;
  #id = "";
  /** The last header that was recorded, by user. */
  readonly #recorded = new Map<string, string>();
  #isBusy = false;

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
    if (id !== "") void this.#recordOwn(id).catch(() => {});
  }

  /** The keys of v2 for a request, whose password is recorded when v2 accepts it. */
  observe(keys: ServedKeys, { headers: { authorization } }: ServerRequest): ServedKeys {
    if (authorization === undefined) return keys;
    const observed = async <T>(response: Promise<T>): Promise<T> => {
      try {
        const result = await response;
        this.#accepted(authorization);
        return result;
      } catch (error) {
        if (isOfStore(error)) this.#accepted(authorization);
        throw error;
      }
    };
    return {
      execute: (request) => observed(keys.execute(request)),
      openWatch: (request, options) => observed(keys.openWatch(request, options)),
    };
  }

  #accepted(header: string): void {
    const id = this.#id;
    // The next request of the same user is recorded.
    if (id === "" || this.#isBusy) return;
    const credentials = readBasicCredentials(header);
    if (credentials === undefined || this.#recorded.get(credentials.user) === header) return;
    this.#isBusy = true;
    void this.#record(id, credentials.user, credentials.password)
      .then(() => this.#remember(id, credentials.user, header))
      .catch(() => {})
      .finally(() => {
        this.#isBusy = false;
      });
  }

  #remember(id: string, user: string, header: string): void {
    if (id !== this.#id) return;
    if (this.#recorded.size >= MAX_REMEMBERED) this.#recorded.clear();
    this.#recorded.set(user, header);
  }

  #record(id: string, user: string, password: Buffer): Promise<void> {
    return this.#settings.seenSince(id).add(user, password);
  }

  async #recordOwn(id: string): Promise<void> {
    const { own, clock, closing, checkOwn } = this.#settings;
    if (own === undefined) return;
    while (id === this.#id) {
      try {
        await checkOwn();
        const { password } = own;
        const text = typeof password === "string" ? password : await password();
        return await this.#record(id, own.name, Buffer.from(text));
      } catch {
        await sleep(RETRY_MS, clock, closing);
      }
    }
  }
}

function isOfStore(error: unknown): boolean {
  if (!(error instanceof EtcdServerError) || error instanceof UnauthorizedError) return false;
  return error.errorCode < FIRST_CODE_OF_PARAMETERS;
}
