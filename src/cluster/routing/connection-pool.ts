import type { Clock } from "../../time/clock.js";
import { afterPoll, hasFakeImmediates } from "../../time/event-loop.js";
import type { Exchange } from "../exchange/exchange.js";
import { Connection, type OpenDispatcher } from "../http1/connection.js";
import type { Http2Endpoint } from "../http2/http2-endpoint.js";

/**
 * Milliseconds without a new exchange after which the event loop may have been blocked. The server may have
 * closed connections meanwhile, and the news of it may wait in their sockets.
 */
const PAUSE_MS = 20;

interface Call {
  readonly exchange: Exchange;
  readonly headers: string[];
}

/**
 * The connections to one endpoint. Calls share a bounded number of them and wait in line beyond
 * it; a watch that is not one of many streams has one to itself for as long as it lasts. A
 * connection is used by one exchange at a time and the one used last is taken first, so that the
 * others can go idle and close.
 */
export class ConnectionPool {
  readonly #origin: string;
  readonly #open: OpenDispatcher;
  readonly #maxCalls: number;
  readonly #clock: Clock;
  readonly #connections = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting: Call[] = [];
  #calls = 0;
  /** Moment (monotonic) at which the last exchange began. Before the first there is no connection to reuse. */
  #begunAt = Number.POSITIVE_INFINITY;
  /** Exchanges that begin when the sockets have been read. */
  readonly #deferred: Call[] = [];
  readonly #streams: Http2Endpoint | undefined;

  /** @param streams for what can run as one of many, if the endpoint speaks HTTP/2 */
  constructor(
    origin: string,
    open: OpenDispatcher,
    { maxConnections, clock }: { readonly maxConnections: number; readonly clock: Clock },
    streams?: Http2Endpoint,
  ) {
    this.#streams = streams;
    this.#origin = origin;
    this.#open = open;
    this.#maxCalls = maxConnections;
    this.#clock = clock;
    if (streams === undefined) return;
    streams.onDone = (exchange) => this.#ended(exchange);
    streams.onHttp1 = (exchange, headers) => {
      if (!this.#runAlone(exchange, headers)) this.#ended(exchange);
    };
  }

  /** Runs a call as soon as fewer than `maxCalls` are under way. */
  call(exchange: Exchange, headers: string[]): void {
    if (this.#calls < this.#maxCalls) this.#startCall(exchange, headers);
    else this.#waiting.push({ exchange, headers });
  }

  /** Runs a watch at once. */
  watch(exchange: Exchange, headers: string[]): void {
    this.#run(exchange, headers);
  }

  /** Gives every exchange up and closes every socket, at once. */
  destroy(reason: Error): void {
    const calls = [...this.#waiting.splice(0), ...this.#deferred];
    for (const { exchange } of calls) exchange.abort(reason);
    for (const connection of this.#connections) {
      connection.exchange?.abort(reason);
      connection.destroy();
    }
    this.#streams?.destroy(reason);
    this.#idle.length = 0;
  }

  #startCall(exchange: Exchange, headers: string[]): void {
    this.#calls++;
    if (!this.#run(exchange, headers)) this.#endCall();
  }

  #ended(exchange: Exchange): void {
    if (!exchange.outgoing.streams) this.#endCall();
  }

  #endCall(): void {
    this.#calls--;
    while (this.#calls < this.#maxCalls) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (!next.exchange.settled) this.#startCall(next.exchange, next.headers);
    }
  }

  /**
   * Runs an exchange; after a pause, only once the sockets have been read. A write on a connection that the
   * server has closed would have an unknown outcome.
   *
   * @returns false when it failed for want of a connection
   */
  #run(exchange: Exchange, headers: string[]): boolean {
    const now = this.#clock.monotonic();
    const isAfterPause = now - this.#begunAt > PAUSE_MS;
    this.#begunAt = now;
    if (!isAfterPause && this.#deferred.length === 0) return this.#runNow(exchange, headers);
    if (this.#deferred.length === 0) afterPoll(() => this.#runDeferred());
    this.#deferred.push({ exchange, headers });
    return true;
  }

  #runDeferred(): void {
    for (const { exchange, headers } of this.#deferred.splice(0)) {
      if (exchange.settled || !this.#runNow(exchange, headers)) this.#ended(exchange);
    }
  }

  /** @returns as {@link #run} */
  #runNow(exchange: Exchange, headers: string[]): boolean {
    if (!this.#streams?.takes(exchange.request)) return this.#runAlone(exchange, headers);
    this.#streams.run(exchange, headers);
    return true;
  }

  /** Runs an exchange on a connection that it has to itself. @returns as {@link #run} */
  #runAlone(exchange: Exchange, headers: string[]): boolean {
    // undici would wait for an immediate that never comes before it used a connection again.
    const idle = hasFakeImmediates() ? undefined : this.#idle.pop();
    const connection = idle ?? this.#tryConnect(exchange);
    connection?.start(exchange, headers);
    return connection !== undefined;
  }

  /** No connection where none can even be begun: with a proxy variable that is no URL, say. */
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
      // What killed one idle connection in silence has probably killed the others.
      if (exchange.metStaleConnection) for (const idle of this.#idle.splice(0)) this.#discard(idle);
      this.#ended(exchange);
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
