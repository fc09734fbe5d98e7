import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { EtcdClient } from "../../client/etcd-client.js";
import type { EtcdClientOptions } from "../../client/options.js";
import { UnauthorizedError } from "../../errors/common-errors.js";
import { saysWrongPassword } from "../../etcd3/error-messages.js";
import { RPC } from "../../etcd3/rpcs.js";
import type { Credentials, ListedNode } from "../model/page-types.js";
import { ConsoleError } from "./json-exchange.js";
import { openV3Store, type V3Store } from "./v3-store.js";

/** More sessions end the one that was unused for the longest time. */
const MAX_SESSIONS = 200;
const MAX_IDLE_MS = 12 * 60 * 60 * 1000;
const MAX_LISTINGS = 8;
const WRONG_PASSWORD = "etcd refuses this user and password";

/** A listing of a directory, from which pages are sent. */
export interface Listing {
  readonly id: string;
  readonly key: string;
  readonly index: number;
  readonly nodes: readonly ListedNode[];
}

/** What one open page may do. */
export class Session {
  readonly token = randomBytes(32).toString("base64url");
  /** Below the prefix of the console. */
  readonly etcd: EtcdClient;
  readonly user: string | undefined;
  readonly options: EtcdClientOptions;
  /** Directory that all keys are relative to; empty: the root. */
  readonly prefix: string;
  #v3Store: V3Store | undefined;
  /** Aborts when the session ends. */
  readonly #ending = new AbortController();
  /** Closed with the session; `undefined`: other sessions use the client too. */
  readonly #own: EtcdClient | undefined;
  readonly #listings: Listing[] = [];
  usedAt = Date.now();

  constructor(
    etcd: EtcdClient,
    own: EtcdClient | undefined,
    { options, prefix = "" }: ClusterAccess,
  ) {
    this.etcd = etcd;
    this.user = options.username;
    this.options = options;
    this.prefix = prefix === "/" ? "" : prefix;
    this.#own = own;
  }

  /** `undefined` for a cluster whose v2 API is used. */
  v3Store(): V3Store | undefined {
    this.#v3Store ??= openV3Store(this.options);
    return this.#v3Store;
  }

  /**
   * With v3, lets etcd check the password. The v2 API says of a wrong password what it says of a missing right.
   *
   * @throws ConsoleError when it is wrong, and the errors of a read
   */
  async checkPassword(): Promise<void> {
    const store = this.v3Store();
    if (store === undefined) return;
    const call = { operation: "sign-in", key: "/", safety: "read", scope: "quorum" } as const;
    try {
      const { offset: key } = store.schema;
      await store.api.call(RPC.range, { key, keys_only: true }, { ...call, signal: this.ended });
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      if (saysWrongPassword(error.detail)) throw new ConsoleError(401, WRONG_PASSWORD);
      // The user may not read this key, and perhaps others.
    }
  }

  get ended(): AbortSignal {
    return this.#ending.signal;
  }

  keepListing(listing: Listing): void {
    this.#listings.push(listing);
    if (this.#listings.length > MAX_LISTINGS) this.#listings.shift();
  }

  /** `undefined`: it is too old. */
  listing(id: string): Listing | undefined {
    return this.#listings.find((listing) => listing.id === id);
  }

  end(): void {
    this.#ending.abort();
    void this.#v3Store?.close();
    void this.#own?.close();
  }
}

/** How sessions reach the cluster. */
export interface ClusterAccess {
  readonly options: EtcdClientOptions;
  /** Directory that all keys are relative to. */
  readonly prefix?: string | undefined;
}

/**
 * The sessions of open pages. A session is a random token that the page sends in a header with each request, never a
 * cookie: browsers add cookies also to requests of other sites, and to other ports of the same host.
 */
export class Sessions {
  readonly #access: ClusterAccess;
  readonly #shared: EtcdClient;
  readonly #sessions = new Map<string, Session>();
  /**
   * What a page must know to begin a session. Only if the console has credentials, which would otherwise serve
   * everyone who reaches its port.
   */
  readonly accessKey: string | undefined;

  /** @param others options for another cluster, whose credentials serve all sessions too */
  constructor(access: ClusterAccess, others: EtcdClientOptions = {}) {
    this.#access = access;
    this.#shared = new EtcdClient(access.options);
    const isSecret = hasCredentials(access.options) || hasCredentials(others);
    this.accessKey = isSecret ? randomBytes(24).toString("base64url") : undefined;
  }

  /**
   * @param isKnown whether the page has a session already, which then need not show the access key again
   * @throws ConsoleError when the access key is wrong
   */
  open({ username, password, accessKey = "" }: Credentials, isKnown: boolean): Session {
    const mayEnter = isKnown || this.accessKey === undefined || isEqual(accessKey, this.accessKey);
    if (!mayEnter) {
      const where = "open the address that the console printed when it started";
      throw new ConsoleError(401, `this console needs an access key: ${where}`);
    }
    this.#evict();
    const session = this.#sessionOf(username, password ?? "");
    this.#sessions.set(session.token, session);
    return session;
  }

  #sessionOf(username: string | undefined, password: string): Session {
    const { options } = this.#access;
    if (username === undefined) {
      return new Session(this.#below(this.#shared), undefined, this.#access);
    }
    const ofUser = { ...options, username, password };
    const own = new EtcdClient(ofUser);
    return new Session(this.#below(own), own, { ...this.#access, options: ofUser });
  }

  #below(client: EtcdClient): EtcdClient {
    const { prefix } = this.#access;
    return prefix === undefined ? client : client.namespace(prefix);
  }

  has(token = ""): boolean {
    return this.#sessions.has(token);
  }

  /** @throws ConsoleError when the token is not one of an open session */
  find(token: string | undefined): Session {
    const session = this.#sessions.get(token ?? "");
    if (session === undefined) throw new ConsoleError(401, "the session has ended");
    session.usedAt = Date.now();
    return session;
  }

  end(session: Session): void {
    this.#sessions.delete(session.token);
    session.end();
  }

  #evict(): void {
    const byUse = [...this.#sessions.values()].sort((a, b) => a.usedAt - b.usedAt);
    const surplus = byUse.length - MAX_SESSIONS + 1;
    for (const [position, session] of byUse.entries()) {
      if (position < surplus || session.usedAt < Date.now() - MAX_IDLE_MS) this.end(session);
    }
  }

  async close(): Promise<void> {
    for (const session of [...this.#sessions.values()]) this.end(session);
    await this.#shared.close();
  }
}

function hasCredentials({ username, tls, x509Certificate }: EtcdClientOptions): boolean {
  return username !== undefined || x509Certificate !== undefined || tls !== undefined;
}

/** Takes the same time for every wrong text. */
function isEqual(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
