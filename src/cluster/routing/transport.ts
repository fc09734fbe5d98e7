import { AbortError } from "../../errors/abort-error.js";
import type { Clock } from "../../time/clock.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import type { HttpReply, HttpRequest } from "../../wire/http.js";
import { type ConnectionSettings, dispatcherFor } from "../connect/dispatchers.js";
import { Exchange, type ExchangeSettings, type StreamedReply } from "../exchange/exchange.js";
import type { AttemptLimits, OutgoingRequest } from "../exchange/outgoing-request.js";
import { Http2Endpoint } from "../http2/http2-endpoint.js";
import { ConnectionPool } from "./connection-pool.js";
import { MAX_REDIRECTS, redirectOf, refused } from "./redirect.js";

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

const CLOSED = new Error("the client was closed");

/** Sends one request to one endpoint and follows its redirects; which endpoint is not its concern. */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #knows: (origin: string) => boolean;
  readonly #pools = new Map<string, ConnectionPool>();
  readonly #exchangeSettings: ExchangeSettings;
  #closed = false;

  /** Redirects are followed only to the origins that `knows` accepts. So are the credentials. */
  constructor(settings: TransportSettings, knows: (origin: string) => boolean) {
    this.#settings = settings;
    this.#knows = knows;
    const { maxResponseSize, clock } = settings;
    const conclude: ExchangeSettings["conclude"] = (exchange, reply) =>
      this.#conclude(exchange, reply);
    this.#exchangeSettings = { maxResponseSize, clock, conclude };
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A whole reply. @throws AttemptFailure, AbortError */
  ask(url: string, request: HttpRequest, limits: AttemptLimits): Promise<HttpReply> {
    const outgoing = { request, endpoint: url, limits, streams: false, hops: 0 } as const;
    return this.#exchange(outgoing);
  }

  /**
   * A whole reply of one endpoint, for requests without a `Call`. If the connection turns out to have died
   * while it was idle, the request is sent once more on a new one.
   *
   * @throws AttemptFailure, AbortError
   */
  async askOne(url: string, request: HttpRequest, limits: AttemptLimits): Promise<HttpReply> {
    try {
      return await this.ask(url, request, limits);
    } catch (error) {
      const isReady = error instanceof AttemptFailure && error.endpointIs === "ready";
      if (!isReady) throw error;
      return await this.ask(url, request, limits);
    }
  }

  /** A watch that stands, or a whole reply that says why not. @throws AttemptFailure, AbortError */
  watch(
    url: string,
    request: HttpRequest,
    limits: AttemptLimits,
  ): Promise<HttpReply | StreamedReply> {
    return this.#exchange({ request, endpoint: url, limits, streams: true, hops: 0 });
  }

  /** Breaks everything off and closes all sockets. */
  close(): void {
    this.#closed = true;
    for (const pool of this.#pools.values()) pool.destroy(CLOSED);
  }

  #exchange(outgoing: OutgoingRequest & { readonly streams: false }): Promise<HttpReply>;
  #exchange(outgoing: OutgoingRequest): Promise<HttpReply | StreamedReply>;
  #exchange(outgoing: OutgoingRequest): Promise<HttpReply | StreamedReply> {
    const { request, endpoint, limits } = outgoing;
    if (limits.signal?.aborted === true) throw notStarted(request, limits.signal.reason);
    if (this.#closed) throw notStarted(request, CLOSED);
    // What can throw comes before the exchange, which must not be left behind with its timer.
    const pool = this.#poolOf(endpoint);
    const headers = this.#headersFor(endpoint, request);
    const exchange = new Exchange(outgoing, this.#exchangeSettings);
    if (outgoing.streams) pool.watch(exchange, headers);
    else pool.call(exchange, headers);
    return exchange.reply;
  }

  /** Goes where a reply redirects, or on without gRPC; any other reply is the answer. */
  #conclude(
    { outgoing, owner }: Exchange,
    reply: HttpReply,
  ): HttpReply | Promise<HttpReply | StreamedReply> {
    if (owner instanceof Http2Endpoint && owner.fallBackToJson(outgoing.request, reply)) {
      return this.#exchange({ ...outgoing, request: { ...outgoing.request, grpc: undefined } });
    }
    const redirect = redirectOf(outgoing.request, reply);
    if (redirect === undefined) return reply;
    if (outgoing.hops === MAX_REDIRECTS) throw refused(outgoing.request, reply, "is one too many");
    const { origin: endpoint, request } = redirect;
    if (!this.#knows(endpoint)) {
      const why = `leads to ${endpoint}, which is not one of the endpoints; add it to urls if it is a member`;
      throw refused(outgoing.request, reply, why);
    }
    return this.#exchange({ ...outgoing, endpoint, request, hops: outgoing.hops + 1 });
  }

  #poolOf(origin: string): ConnectionPool {
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      const streams = Http2Endpoint.at(origin, this.#settings);
      const open = dispatcherFor(origin, this.#settings);
      pool = new ConnectionPool(origin, open, this.#settings, streams);
      this.#pools.set(origin, pool);
    }
    return pool;
  }

  #headersFor(origin: string, request: HttpRequest): string[] {
    const { authorization = this.#settings.authorization, contentType } = request;
    const headers = contentType === undefined ? [] : ["content-type", contentType];
    // A request with credentials of its own is meant for exactly this origin.
    const mayShow = request.authorization !== undefined || this.#knows(origin);
    if (authorization !== undefined && mayShow) {
      headers.push("authorization", authorization);
    }
    if (request.headers !== undefined) headers.push(...Object.entries(request.headers).flat());
    return headers;
  }
}

function notStarted({ operation, safety }: HttpRequest, reason: unknown): AbortError {
  return new AbortError(operation, reason, safety === "write" ? "not-sent" : "none");
}
