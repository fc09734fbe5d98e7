import { AbortError } from "../errors/abort-error.js";
import type { Clock } from "../time/clock.js";
import type { HttpReply, HttpRequest } from "../wire/http.js";
import { ConnectionPool } from "./connection-pool.js";
import { type ConnectionSettings, dispatcherFor } from "./dispatchers.js";
import { Exchange, type StreamedReply } from "./exchange.js";
import { MAX_REDIRECTS, redirectOf, refused } from "./redirect.js";
import { Streams } from "./streams.js";

/** What every exchange of a cluster has in common. */
export interface TransportSettings extends ConnectionSettings {
  /** Header of Basic auth. */
  readonly authorization: string | undefined;
  /** Bytes. */
  readonly maxResponseSize: number;
  /** Calls under way at one endpoint; watches do not count. */
  readonly maxConnections: number;
  readonly clock: Clock;
}

/** How long one attempt may take, in milliseconds, and how it is called off. */
export interface AttemptLimits {
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

const CLOSED = new Error("the client was closed");

/** Sends one request to one endpoint and follows its redirects; which endpoint is not its concern. */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #knows: (origin: string) => boolean;
  readonly #pools = new Map<string, ConnectionPool>();
  #closed = false;

  /** Credentials are sent only to the origins that `knows` accepts. */
  constructor(settings: TransportSettings, knows: (origin: string) => boolean) {
    this.#settings = settings;
    this.#knows = knows;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A whole reply. @throws AttemptFailure, AbortError */
  ask(url: string, request: HttpRequest, limits: AttemptLimits): Promise<HttpReply> {
    return this.#exchange(url, request, limits, false);
  }

  /** A watch that stands, or a whole reply that says why not. @throws AttemptFailure, AbortError */
  watch(
    url: string,
    request: HttpRequest,
    limits: AttemptLimits,
  ): Promise<HttpReply | StreamedReply> {
    return this.#exchange(url, request, limits, true);
  }

  /** Breaks everything off and closes all sockets. */
  close(): void {
    this.#closed = true;
    for (const pool of this.#pools.values()) pool.destroy(CLOSED);
  }

  #exchange(
    origin: string,
    request: HttpRequest,
    limits: AttemptLimits,
    streams: false,
    hops?: number,
  ): Promise<HttpReply>;
  #exchange(
    origin: string,
    request: HttpRequest,
    limits: AttemptLimits,
    streams: boolean,
    hops?: number,
  ): Promise<HttpReply | StreamedReply>;
  #exchange(
    origin: string,
    request: HttpRequest,
    limits: AttemptLimits,
    streams: boolean,
    hops = 0,
  ): Promise<HttpReply | StreamedReply> {
    const { signal } = limits;
    if (signal?.aborted === true) throw notStarted(request, signal.reason);
    if (this.#closed) throw notStarted(request, CLOSED);
    // What can throw comes before the exchange, which must not be left behind with its timer.
    const pool = this.#poolOf(origin);
    const headers = this.#headersFor(origin, request);
    const { maxResponseSize, clock } = this.#settings;
    const bounds = { timeout: limits.timeout, signal: limits.signal, maxResponseSize, clock };
    const exchange = new Exchange(request, origin, bounds, streams, (reply) => {
      const redirect = redirectOf(request, reply);
      if (redirect === undefined) return reply;
      if (hops === MAX_REDIRECTS) throw refused(request, reply, "is one too many");
      return this.#exchange(redirect.origin, redirect.request, limits, streams, hops + 1);
    });
    if (streams) pool.watch(exchange, headers);
    else pool.call(exchange, headers);
    return exchange.reply;
  }

  #poolOf(origin: string): ConnectionPool {
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      const { maxConnections } = this.#settings;
      const streams = Streams.at(origin, this.#settings);
      const open = dispatcherFor(origin, this.#settings);
      pool = new ConnectionPool(origin, open, maxConnections, streams);
      this.#pools.set(origin, pool);
    }
    return pool;
  }

  #headersFor(origin: string, request: HttpRequest): string[] {
    const { authorization = this.#settings.authorization } = request;
    const headers: string[] = [];
    if (authorization !== undefined && this.#knows(origin)) {
      headers.push("authorization", authorization);
    }
    if (request.contentType !== undefined) headers.push("content-type", request.contentType);
    if (request.headers !== undefined) headers.push(...Object.entries(request.headers).flat());
    return headers;
  }
}

function notStarted({ operation, safety }: HttpRequest, reason: unknown): AbortError {
  return new AbortError(operation, reason, safety === "write" ? "not sent" : "none");
}
