import type { PasswordSource } from "../../model/password-source.js";

/** The header of Basic auth, with a password that may change. */
export class BasicAuth {
  readonly #username: string;
  readonly #password: PasswordSource;
  #header: string | undefined;
  #loading: Promise<void> | undefined;

  constructor(username: string, password: PasswordSource) {
    this.#username = username;
    this.#password = password;
    if (typeof password === "string") this.#header = this.#headerFor(password);
  }

  /** `undefined` before {@link load}. */
  get header(): string | undefined {
    return this.#header;
  }

  /** Whether {@link load} can change the header. */
  get isFixed(): boolean {
    return typeof this.#password === "string";
  }

  /** Asks for the current password. Concurrent calls share one request. @throws OptionError */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<void> {
    try {
      const password = this.#password;
      this.#header = this.#headerFor(typeof password === "string" ? password : await password());
    } finally {
      this.#loading = undefined;
    }
  }

  /** In UTF-8. */
  #headerFor(password: string): string {
    return `Basic ${Buffer.from(`${this.#username}:${password}`).toString("base64")}`;
  }
}
