import { AbortError } from "../../errors/abort-error.js";
import { TimeoutError } from "../../errors/cluster-errors.js";
import type { Clock } from "../../time/clock.js";
import { withTimeout } from "../../time/with-timeout.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import { type HttpRequest, type HttpResponse, textBodyOf } from "../../wire/http.js";
import { type ConnectionSettings, dispatcherFor } from "../connect/dispatchers.js";
import { Exchange, type ExchangeSettings, type StreamedResponse } from "../exchange/exchange.js";
import type { AttemptLimits, OutgoingRequest } from "../exchange/outgoing-request.js";
import type { ReceiveBudget } from "../exchange/receive-budget.js";
import { Http2Endpoint } from "../http2/http2-endpoint.js";
import type { BasicAuth } from "./basic-auth.js";
import { ConnectionPool } from "./connection-pool.js";
import { MAX_REDIRECTS, redirectFailure, redirectOf } from "./redirect.js";

/** Settings of all exchanges of a cluster. */
export interface TransportSettings extends ConnectionSettings {
  readonly authorization: BasicAuth | undefined;
  /** Bytes. */
  readonly maxResponseSize: number;
  /** Maximum number of concurrent calls of each scope to one endpoint. Watches do not count. */
  readonly maxConnections: number;
  /** Milliseconds for the body of a response, after its head. Absent: the timeout of the attempt includes it. */
  readonly bodyTimeout?: number | undefined;
  /** Counts what was received and is not read yet. Absent: only each response is limited. */
  readonly receiveBudget?: ReceiveBudget | undefined;
  readonly clock: Clock;
}

const CLOSED = new Error("the client was closed");
const NOT_USED = new Error("the address does not belong to the cluster");

/** Sends one request to a given endpoint and follows redirects. */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #isKnown: (origin: string) => boolean;
  readonly #pools = new Map<string, ConnectionPool>();
  readonly #exchangeSettings: ExchangeSettings;
  #closed = false;

  /** Follows redirects, and sends credentials, only to origins that `isKnown` accepts. */
  constructor(settings: TransportSettings, isKnown: (origin: string) => boolean) {
    this.#settings = settings;
    this.#isKnown = isKnown;
    const { maxResponseSize, bodyTimeout, receiveBudget, clock } = settings;
    const followUp = (exchange: Exchange, response: HttpResponse) =>
      this.#followUp(exchange, response);
    this.#exchangeSettings = { maxResponseSize, bodyTimeout, receiveBudget, clock, followUp };
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Returns a complete response. @throws AttemptFailure, AbortError */
  send(url: string, request: HttpRequest, limits: AttemptLimits): Promise<HttpResponse> {
    const { startedAt = this.#settings.clock.monotonic() } = limits;
    return this.#exchange({ request, endpoint: url, limits, streams: false, hops: 0, startedAt });
  }

  /**
   * Returns a complete response of one endpoint, for requests without a `Call`. Sends the request
   * again on a new connection if the connection had died while it was idle.
   *
   * @throws AttemptFailure, AbortError
   */
  async sendToOne(url: string, request: HttpRequest, limits: AttemptLimits): Promise<HttpResponse> {
    const startedAt = this.#settings.clock.monotonic();
    try {
      return await this.send(url, request, limits);
    } catch (error) {
      const isReady = error instanceof AttemptFailure && error.endpointIs === "ready";
      if (!isReady) throw error;
      return await this.send(url, request, this.#rest(limits, startedAt));
    }
  }

  /**
   * Returns an open watch, or the complete response that explains its refusal. @throws
   * AttemptFailure, AbortError
   */
  watch(
    url: string,
    request: HttpRequest,
    limits: AttemptLimits,
  ): Promise<HttpResponse | StreamedResponse> {
    const startedAt = this.#settings.clock.monotonic();
    return this.#exchange({ request, endpoint: url, limits, streams: true, hops: 0, startedAt });
  }

  /** Closes the connections to an origin that is not used. */
  forget(origin: string): void {
    this.#pools.get(origin)?.destroy(NOT_USED);
    this.#pools.delete(origin);
  }

  /** Aborts all exchanges and closes all sockets. */
  close(): void {
    this.#closed = true;
    for (const pool of this.#pools.values()) pool.destroy(CLOSED);
  }

  /** Throws, without a promise, if nothing was sent. @throws AbortError */
  #exchange(outgoing: OutgoingRequest & { readonly streams: false }): Promise<HttpResponse>;
  #exchange(outgoing: OutgoingRequest): Promise<HttpResponse | StreamedResponse>;
  #exchange(outgoing: OutgoingRequest): Promise<HttpResponse | StreamedResponse> {
    const { authorization } = this.#settings;
    if (authorization === undefined || authorization.isFixed) return this.#start(outgoing).response;
    const { header: credentials } = authorization;
    return credentials === undefined
      ? this.#exchangeWithPassword(authorization, outgoing)
      : this.#start({ ...outgoing, credentials }).response;
  }

  async #exchangeWithPassword(
    authorization: BasicAuth,
    outgoing: OutgoingRequest,
  ): Promise<HttpResponse | StreamedResponse> {
    await this.#loadPassword(authorization, outgoing);
    return await this.#exchange(this.#withRest(outgoing));
  }

  /** Sends what a response asks for. @see ExchangeSettings.followUp */
  #followUp(
    exchange: Exchange,
    response: HttpResponse,
  ): Promise<HttpResponse | StreamedResponse> | undefined {
    const { authorization } = this.#settings;
    // Nothing follows a success, unless a server has responded to gRPC in another form.
    if (response.status < 300 && !(exchange.owner instanceof Http2Endpoint)) return undefined;
    const { isRenewed = false } = exchange.outgoing;
    if (response.status === 401 && !isRenewed && authorization?.isFixed === false)
      return this.#renew(authorization, exchange.outgoing, response);
    try {
      const next = this.#nextAfter(exchange, response);
      return next && this.#exchange(this.#withRest(next));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends a request again if the password that the server refused has been replaced. */
  async #renew(
    authorization: BasicAuth,
    outgoing: OutgoingRequest,
    response: HttpResponse,
  ): Promise<HttpResponse | StreamedResponse> {
    const again = this.#withRest({ ...outgoing, isRenewed: true });
    const isReplaced = await this.#isReplaced(authorization, outgoing.credentials, again);
    return isReplaced ? await this.#exchange(this.#withRest(again)) : response;
  }

  /** Whether the password that the server refused has been replaced. */
  async #isReplaced(
    authorization: BasicAuth,
    sent: string | undefined,
    outgoing: OutgoingRequest,
  ): Promise<boolean> {
    if (authorization.header !== sent) return true;
    try {
      await this.#loadPassword(authorization, outgoing);
    } catch (error) {
      // The refusal says more than a function that does not respond.
      if (error instanceof AbortError) throw error;
    }
    return authorization.header !== sent;
  }

  /** The timeout of the request includes the time until the password is known. */
  #loadPassword(authorization: BasicAuth, { request, limits }: OutgoingRequest): Promise<void> {
    const { timeout, signal } = limits;
    return withTimeout(authorization.load(), {
      milliseconds: timeout,
      clock: this.#settings.clock,
      signal,
      onTimeout: () => {
        const what = `${request.operation}: no password within ${timeout} ms`;
        return new AttemptFailure("no", new TimeoutError(what, timeout));
      },
      onAbort: (reason) => notStarted(request, reason),
    });
  }

  /** The timeout of an attempt is that of all its requests together. */
  #withRest(outgoing: OutgoingRequest): OutgoingRequest {
    const limits = this.#rest(outgoing.limits, outgoing.startedAt);
    return { ...outgoing, limits, startedAt: this.#settings.clock.monotonic() };
  }

  #rest(limits: AttemptLimits, startedAt: number): AttemptLimits {
    const elapsed = this.#settings.clock.monotonic() - startedAt;
    return { ...limits, timeout: Math.max(1, limits.timeout - elapsed) };
  }

  #start(outgoing: OutgoingRequest): Exchange {
    const { request, endpoint, limits } = outgoing;
    if (limits.signal?.aborted === true) throw notStarted(request, limits.signal.reason);
    if (this.#closed) throw notStarted(request, CLOSED);
    // Created last: if an earlier line throws, no exchange with a running timer is left behind.
    const pool = this.#poolOf(endpoint);
    const headers = this.#headersFor(endpoint, request);
    const exchange = new Exchange(outgoing, this.#exchangeSettings);
    if (outgoing.streams) pool.watch(exchange, headers);
    else pool.call(exchange, headers);
    return exchange;
  }

  /** The same request as JSON where gRPC does not come through, or at the address of a redirect. */
  #nextAfter({ outgoing, owner }: Exchange, response: HttpResponse): OutgoingRequest | undefined {
    if (owner instanceof Http2Endpoint && owner.fallBackToJson(outgoing.request, response)) {
      const { request } = outgoing;
      return { ...outgoing, request: { ...request, body: textBodyOf(request), grpc: undefined } };
    }
    const redirect = redirectOf(outgoing.request, response);
    if (redirect === undefined) return undefined;
    if (outgoing.hops === MAX_REDIRECTS)
      throw redirectFailure(
        outgoing.request,
        response,
        `exceeds the limit of ${MAX_REDIRECTS} redirects`,
      );
    const { origin: endpoint, request } = redirect;
    if (!this.#isKnown(endpoint)) {
      const why = `leads to ${endpoint}, which is not one of the endpoints; add it to urls if it is a member`;
      throw redirectFailure(outgoing.request, response, why);
    }
    return { ...outgoing, endpoint, request, hops: outgoing.hops + 1 };
  }

  #poolOf(origin: string): ConnectionPool {
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      const http2 = Http2Endpoint.at(origin, this.#settings);
      const open = dispatcherFor(origin, this.#settings);
      pool = new ConnectionPool(origin, open, this.#settings, http2);
      this.#pools.set(origin, pool);
    }
    return pool;
  }

  #headersFor(origin: string, request: HttpRequest): string[] {
    const { authorization = this.#settings.authorization?.header, contentType } = request;
    const headers = contentType === undefined ? [] : ["content-type", contentType];
    // A request with its own credentials is intended for exactly this origin.
    const sendsCredentials = request.authorization !== undefined || this.#isKnown(origin);
    if (authorization !== undefined && sendsCredentials) {
      headers.push("authorization", authorization);
    }
    if (request.headers !== undefined) headers.push(...Object.entries(request.headers).flat());
    return headers;
  }
}

function notStarted({ operation, safety }: HttpRequest, reason: unknown): AbortError {
  return new AbortError(operation, reason, safety === "read" ? "none" : "not-sent");
}
