import { AbortError } from "../errors/abort-error.js";
import { abortable } from "../stream/abortable.js";

/** Caches the auth token. Concurrent calls share one authentication. */
export class AuthToken {
  readonly #fetch: () => Promise<string | undefined>;
  #token: string | undefined;
  #known = false;
  #fetching: Promise<string | undefined> | undefined;

  /** @param fetch authenticates; returns `undefined` if auth is off */
  constructor(fetch: () => Promise<string | undefined>) {
    this.#fetch = fetch;
  }

  /** Whether {@link get} needs no request. */
  get isKnown(): boolean {
    return this.#known;
  }

  /** Returns the token, authenticating if necessary. @throws the errors of authentication */
  get(operation: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (this.#known) return Promise.resolve(this.#token);
    this.#fetching ??= this.#renew();
    const errorOf = (reason: unknown): Error => new AbortError(operation, reason, "not-sent");
    return abortable(this.#fetching, signal, errorOf);
  }

  /** Records that a member rejected this token. */
  refused(token: string | undefined): void {
    if (token === this.#token) this.#known = false;
  }

  async #renew(): Promise<string | undefined> {
    try {
      this.#token = await this.#fetch();
      this.#known = true;
      return this.#token;
    } finally {
      this.#fetching = undefined;
    }
  }
}
