import type { Clock } from "../../time/clock.js";
import { afterSocketReads, hasFakeImmediates } from "../../time/event-loop.js";
import type { HttpRequest } from "../../wire/http.js";
import type { Exchange } from "../exchange/exchange.js";
import { Connection, type OpenDispatcher } from "../http1/connection.js";
import type { Http2Endpoint } from "../http2/http2-endpoint.js";

/**
 * After this time without a new exchange, the event loop may have been blocked. The server may have
 * closed connections in that time, and the close may not have been read from their sockets.
 */
const PAUSE_MS = 20;

interface PendingExchange {
  readonly exchange: Exchange;
  readonly headers: string[];
}

/** The calls that are running, and those that wait until fewer are. */
interface Lane {
  running: number;
  readonly waiting: PendingExchange[];
}

/**
 * The connections to one endpoint. Calls share a limited number of connections and queue beyond it. Local reads have
 * their own number: a member that has lost the quorum serves them at once, while other calls wait for seconds.
 * A watch over HTTP/1 has its own connection while it is open. A connection runs one exchange at a
 * time. The connection used last is reused first, so that the others become idle and close.
 */
export class ConnectionPool {
  readonly #origin: string;
  readonly #open: OpenDispatcher;
  readonly #maxCalls: number;
  readonly #clock: Clock;
  readonly #connections = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #lanes: Readonly<Record<HttpRequest["scope"], Lane>> = {
    local: { running: 0, waiting: [] },
    quorum: { running: 0, waiting: [] },
  };
  /**
   * Monotonic time of the start of the last exchange. Infinity before the first, when there is no
   * connection to reuse.
   */
  #lastStartedAt = Number.POSITIVE_INFINITY;
  /** Exchanges that start after the sockets have been polled. */
  readonly #deferred: PendingExchange[] = [];
  readonly #http2: Http2Endpoint | undefined;

  /** @param http2 runs the exchanges that can use HTTP/2, if the endpoint supports it */
  constructor(
    origin: string,
    open: OpenDispatcher,
    { maxConnections, clock }: { readonly maxConnections: number; readonly clock: Clock },
    http2?: Http2Endpoint,
  ) {
    this.#http2 = http2;
    this.#origin = origin;
    this.#open = open;
    this.#maxCalls = maxConnections;
    this.#clock = clock;
    if (http2 === undefined) return;
    http2.onDone = (exchange) => this.#onEnded(exchange);
    http2.onHttp1 = (exchange, headers) => {
      if (!this.#runOnHttp1(exchange, headers)) this.#onEnded(exchange);
    };
  }

  /** Runs a call when fewer than `maxCalls` of its scope are running. */
  call(exchange: Exchange, headers: string[]): void {
    const lane = this.#lanes[exchange.request.scope];
    if (lane.running < this.#maxCalls) this.#startCall(lane, exchange, headers);
    else lane.waiting.push({ exchange, headers });
  }

  /** Runs a watch at once. */
  watch(exchange: Exchange, headers: string[]): void {
    this.#run(exchange, headers);
  }

  /** Aborts every exchange and closes every socket at once. */
  destroy(reason: Error): void {
    const { local, quorum } = this.#lanes;
    const calls = [...local.waiting.splice(0), ...quorum.waiting.splice(0), ...this.#deferred];
    for (const { exchange } of calls) exchange.abort(reason);
    for (const connection of this.#connections) {
      connection.exchange?.abort(reason);
      connection.destroy();
    }
    this.#http2?.destroy(reason);
    this.#idle.length = 0;
  }

  #startCall(lane: Lane, exchange: Exchange, headers: string[]): void {
    lane.running++;
    if (!this.#run(exchange, headers)) this.#endCall(lane);
  }

  #onEnded({ outgoing }: Exchange): void {
    if (!outgoing.streams) this.#endCall(this.#lanes[outgoing.request.scope]);
  }

  #endCall(lane: Lane): void {
    lane.running--;
    while (lane.running < this.#maxCalls) {
      const next = lane.waiting.shift();
      if (next === undefined) return;
      if (!next.exchange.settled) this.#startCall(lane, next.exchange, next.headers);
    }
  }

  /**
   * Runs an exchange. After a pause, polls the sockets first, because a write on a connection that
   * the server has closed would have an unknown outcome.
   *
   * @returns false when no connection could be opened
   */
  #run(exchange: Exchange, headers: string[]): boolean {
    const now = this.#clock.monotonic();
    const isAfterPause = now - this.#lastStartedAt > PAUSE_MS;
    this.#lastStartedAt = now;
    if (!isAfterPause && this.#deferred.length === 0) return this.#runNow(exchange, headers);
    if (this.#deferred.length === 0) afterSocketReads(() => this.#runDeferred());
    this.#deferred.push({ exchange, headers });
    return true;
  }

  #runDeferred(): void {
    for (const { exchange, headers } of this.#deferred.splice(0)) {
      if (exchange.settled || !this.#runNow(exchange, headers)) this.#onEnded(exchange);
    }
  }

  /** @returns as {@link #run} */
  #runNow(exchange: Exchange, headers: string[]): boolean {
    if (!this.#http2?.accepts(exchange.request)) return this.#runOnHttp1(exchange, headers);
    this.#http2.run(exchange, headers);
    return true;
  }

  /** Runs an exchange on its own HTTP/1 connection. @returns as {@link #run} */
  #runOnHttp1(exchange: Exchange, headers: string[]): boolean {
    // With fake immediates, undici would never reuse a connection.
    const idle = hasFakeImmediates() ? undefined : this.#idle.pop();
    const connection = idle ?? this.#tryConnect(exchange);
    connection?.start(exchange, headers);
    return connection !== undefined;
  }

  /** Returns `undefined` when opening fails at once, e.g. for an invalid proxy variable. */
  #tryConnect(exchange: Exchange): Connection | undefined {
    try {
      return this.#connect();
    } catch (error) {
      exchange.fail(error as Error);
      return undefined;
    }
  }

  #connect(): Connection {
    const connection = new Connection(this.#origin, this.#open);
    this.#connections.add(connection);
    connection.onDone = (exchange, reusable) => {
      if (reusable && !hasFakeImmediates()) this.#idle.push(connection);
      else this.#discard(connection);
      // The cause that silently closed one idle connection has probably closed the others.
      if (exchange.metStaleConnection) for (const idle of this.#idle.splice(0)) this.#discard(idle);
      this.#onEnded(exchange);
    };
    connection.onDisconnect(() => {
      const index = this.#idle.lastIndexOf(connection);
      if (index === -1) return;
      this.#idle.splice(index, 1);
      this.#discard(connection);
    });
    return connection;
  }

  #discard(connection: Connection): void {
    this.#connections.delete(connection);
    connection.destroy();
  }
}
