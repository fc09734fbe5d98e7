import type { Clock } from "../../time/clock.js";
import { isGrpc } from "../../wire/grpc.js";
import type { HttpRequest, HttpResponse } from "../../wire/http.js";
import {
  type ConnectionSettings,
  KEEP_ALIVE_MS,
  streamConnectorFor,
} from "../connect/dispatchers.js";
import type { Exchange, ExchangeOwner } from "../exchange/exchange.js";
import { Http2Pool } from "./http2-pool.js";

/** Time after which HTTP/2 is tried again at an endpoint that does not support it. */
const HTTP1_ONLY_MS = 60_000;

/**
 * HTTP statuses that mean "gRPC is not supported here": from a load balancer that forwards as
 * HTTP/1, or from etcd's HTTP-only listener (--listen-client-http-urls). gRPC responses always have
 * status 200.
 */
const GRPC_REJECTED_STATUSES: ReadonlySet<number> = new Set([
  404, 405, 411, 415, 426, 464, 501, 505,
]);

/**
 * Runs exchanges at one endpoint over HTTP/2, if the endpoint supports it: gRPC, and over TLS the
 * watches of the v2 API. Watches and calls use separate connections. When the endpoint shuts down,
 * watches move to another endpoint at once, and pending calls still get their responses.
 */
export class Http2Endpoint implements ExchangeOwner {
  /** Called when an exchange has ended. */
  onDone: (exchange: Exchange) => void = () => {};
  /** Called for an exchange that was not sent, because the endpoint does not support HTTP/2. */
  onHttp1: (exchange: Exchange, headers: string[]) => void = () => {};
  readonly #isSecure: boolean;
  readonly #clock: Clock;
  readonly #watches: Http2Pool;
  readonly #calls: Http2Pool;
  readonly #running = new Set<Exchange>();
  /** Monotonic time until which the endpoint is used with HTTP/1 only. */
  #http1Until = Number.NEGATIVE_INFINITY;

  /** Returns `undefined` when a proxy is used. */
  static at(origin: string, settings: ConnectionSettings & { readonly clock: Clock }) {
    const connect = streamConnectorFor(settings);
    return connect && new Http2Endpoint(origin, connect, settings);
  }

  private constructor(
    origin: string,
    connect: NonNullable<ReturnType<typeof streamConnectorFor>>,
    { connectTimeout: timeout, clock }: ConnectionSettings & { readonly clock: Clock },
  ) {
    this.#isSecure = origin.startsWith("https:");
    this.#clock = clock;
    const common = { timeout, clock, keepAlive: KEEP_ALIVE_MS };
    this.#watches = new Http2Pool(origin, connect, { ...common, carries: "watches" });
    // A watch cannot distinguish a quiet tree from a hanging endpoint. A call without a response
    // can, so it also triggers pings on the connections of the watches.
    const onPing = () => this.#watches.ping();
    this.#calls = new Http2Pool(origin, connect, { ...common, carries: "calls", onPing });
  }

  /** Whether to send the request over HTTP/2. */
  accepts({ grpc, isWatch: streams = false, http1 = false }: HttpRequest): boolean {
    const isSupported = grpc !== undefined || (streams && this.#isSecure && !http1);
    return isSupported && this.#clock.monotonic() >= this.#http1Until;
  }

  /** Uses JSON for a while if the response rejects gRPC unprocessed. @returns whether it does */
  fallBackToJson({ grpc }: HttpRequest, { status, headers }: HttpResponse): boolean {
    if (grpc === undefined || isGrpc(headers) || !GRPC_REJECTED_STATUSES.has(status)) return false;
    this.#http1Until = this.#clock.monotonic() + HTTP1_ONLY_MS;
    return true;
  }

  /** Runs an exchange. Calls `onDone` or `onHttp1` at its end. */
  run(exchange: Exchange, headers: string[]): void {
    this.#running.add(exchange);
    exchange.owner = this;
    const pool = exchange.outgoing.streams ? this.#watches : this.#calls;
    if (!pool.start(exchange, headers)) void this.#runLater(pool, exchange, headers);
  }

  done(exchange: Exchange): void {
    if (this.#running.delete(exchange)) this.onDone(exchange);
  }

  async #runLater(pool: Http2Pool, exchange: Exchange, headers: string[]): Promise<void> {
    if (await pool.run(exchange, headers)) return;
    this.#http1Until = this.#clock.monotonic() + HTTP1_ONLY_MS;
    if (this.#running.delete(exchange)) this.onHttp1(exchange, headers);
  }

  /** Aborts every exchange and closes every connection at once. */
  destroy(reason: Error): void {
    for (const exchange of this.#running) exchange.abort(reason);
    this.#watches.destroy();
    this.#calls.destroy();
  }
}
