import type { Credentials, SessionInfo } from "../src/console/model/page-types.js";
import { type Api, ApiError, messageOf } from "./api.js";
import { Emitter } from "./emitter.js";

/** The session of the page: whether there is one, and what is needed for one. */
export class SessionState extends Emitter {
  readonly #api: Api;
  info: SessionInfo | undefined;
  /** What to ask for before anything can be shown. */
  asks: "nothing" | "access key" | "user" = "nothing";
  failure = "";

  constructor(api: Api) {
    super();
    this.#api = api;
  }

  /** Continues the session of this tab, or begins one. */
  async begin(accessKey?: string): Promise<void> {
    try {
      const current = accessKey === undefined ? await this.#api.currentSession() : undefined;
      this.info = current ?? (await this.#api.openSession({ accessKey }));
      this.asks = "nothing";
      this.failure = "";
    } catch (error) {
      this.info = undefined;
      this.failure = messageOf(error);
      if (error instanceof ApiError && error.status === 401) this.asks = "access key";
    }
    this.emit();
  }

  /** The session has ended at the server. Without a user, another one is like it. */
  async renew(): Promise<void> {
    const user = this.info?.user;
    await this.begin();
    if (user === undefined || this.info === undefined) return;
    this.asks = "user";
    this.failure = `The session of ${user} has ended. Sign in again; texts that are not saved stay.`;
    this.emit();
  }

  async signIn(credentials: Credentials): Promise<void> {
    try {
      this.info = await this.#api.openSession(credentials);
      this.asks = "nothing";
      this.failure = "";
    } catch (error) {
      this.failure = messageOf(error);
    }
    this.emit();
  }

  async signOut(): Promise<void> {
    await this.#api.endSession();
    this.info = undefined;
    await this.begin();
  }

  askUser(isAsking: boolean): void {
    this.asks = isAsking ? "user" : "nothing";
    this.failure = "";
    this.emit();
  }
}
