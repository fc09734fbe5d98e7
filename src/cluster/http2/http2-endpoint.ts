import type { Clock } from "../../time/clock.js";
import { isGrpc } from "../../wire/grpc.js";
import type { HttpReply, HttpRequest } from "../../wire/http.js";
import { type ConnectionSettings, KEEP_ALIVE, streamConnectorFor } from "../connect/dispatchers.js";
import type { Exchange, ExchangeOwner } from "../exchange/exchange.js";
import { Http2Pool } from "./http2-pool.js";

/** Milliseconds for which an endpoint that speaks no HTTP/2 is not asked again whether it does. */
const HTTP1_FOR = 60_000;

/**
 * With these, what speaks HTTP/2 turns gRPC away: a load balancer that goes on in HTTP/1, etcd's listener
 * for HTTP alone (--listen-client-http-urls). Answers to gRPC are all 200.
 */
const GRPC_REJECTED_STATUSES: ReadonlySet<number> = new Set([
  404, 405, 411, 415, 426, 464, 501, 505,
]);

/**
 * Deno's `node:http2` delivers the body of a response only when the stream ends: a watch would stay
 * silent for ever. It uses HTTP/1.1 instead.
 */
const DELIVERS_PARTIAL_BODIES = !("Deno" in globalThis);

/**
 * What runs at one endpoint as streams of HTTP/2, as far as it speaks that: gRPC, and over TLS
 * watches of the v2 API. Watches and calls have connections of their own: when the endpoint says
 * that it is shutting down, watches go on elsewhere at once, and calls are still answered.
 */
export class Http2Endpoint implements ExchangeOwner {
  /** Called when an exchange is over. */
  onDone: (exchange: Exchange) => void = () => {};
  /** Called for an exchange that was not run, as the endpoint speaks no HTTP/2. */
  onHttp1: (exchange: Exchange, headers: string[]) => void = () => {};
  readonly #isSecure: boolean;
  readonly #clock: Clock;
  readonly #watches: Http2Pool;
  readonly #calls: Http2Pool;
  readonly #running = new Set<Exchange>();
  /** Moment (monotonic) until which the endpoint is taken for one of HTTP/1 alone. */
  #http1Until = Number.NEGATIVE_INFINITY;

  /** Nothing where a proxy is to be used. */
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
    const common = { timeout, clock, keepAlive: KEEP_ALIVE };
    this.#watches = new Http2Pool(origin, connect, { ...common, carries: "watches" });
    // A watch that is told nothing cannot tell a quiet tree from an endpoint that hangs; a call can.
    const onSilent = () => this.#watches.doubt();
    this.#calls = new Http2Pool(origin, connect, { ...common, carries: "calls", onSilent });
  }

  /** Whether the request is to be tried as a stream. */
  takes({ grpc, streams = false, http1 = false }: HttpRequest): boolean {
    if (streams && !DELIVERS_PARTIAL_BODIES) return false;
    const may = grpc !== undefined || (streams && this.#isSecure && !http1);
    return may && this.#clock.monotonic() >= this.#http1Until;
  }

  /** Leaves gRPC alone for a while if a reply turns it away, unprocessed. @returns whether it does */
  fallBackToJson({ grpc }: HttpRequest, { status, headers }: HttpReply): boolean {
    if (grpc === undefined || isGrpc(headers) || !GRPC_REJECTED_STATUSES.has(status)) return false;
    this.#http1Until = this.#clock.monotonic() + HTTP1_FOR;
    return true;
  }

  /** Runs an exchange; in the end one of the two listeners is called. */
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
    this.#http1Until = this.#clock.monotonic() + HTTP1_FOR;
    if (this.#running.delete(exchange)) this.onHttp1(exchange, headers);
  }

  /** Gives every exchange up and closes every connection, at once. */
  destroy(reason: Error): void {
    for (const exchange of this.#running) exchange.abort(reason);
    this.#watches.destroy();
    this.#calls.destroy();
  }
}
