import { AbortError } from "../errors/abort-error.js";
import { abortable } from "../stream/unless-aborted.js";

/** The token by which calls are authenticated, fetched once for all that wait for it. */
export class V3Token {
  readonly #fetch: () => Promise<string | undefined>;
  #token: string | undefined;
  #known = false;
  #fetching: Promise<string | undefined> | undefined;

  /** `fetch` authenticates; it answers with nothing where auth is off. */
  constructor(fetch: () => Promise<string | undefined>) {
    this.#fetch = fetch;
  }

  /** The token, and at once if it is known. @throws whatever authenticating throws */
  get(operation: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (this.#known) return Promise.resolve(this.#token);
    this.#fetching ??= this.#renew();
    const errorOf = (reason: unknown): Error => new AbortError(operation, reason, "not-sent");
    return abortable(this.#fetching, signal, errorOf);
  }

  /** Takes note that a member refused this token. */
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
