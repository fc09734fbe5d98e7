import { Connection, type OpenDispatcher } from "./connection.js";
import type { Exchange } from "./exchange.js";
import type { Streams } from "./streams.js";

const nothing = (): void => {};

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
  /**
   * Every connection and what it carries. Not a set of exchanges: by coming and going they would
   * make V8 rebuild it all the time, and a rebuilt set keeps what the one before held from being
   * collected young.
   */
  readonly #connections = new Map<Connection, Exchange | undefined>();
  readonly #idle: Connection[] = [];
  readonly #waiting: Call[] = [];
  #calls = 0;
  readonly #streams: Streams | undefined;

  /** @param streams for what can run as one of many, if the endpoint speaks HTTP/2 */
  constructor(origin: string, open: OpenDispatcher, maxCalls: number, streams?: Streams) {
    this.#streams = streams;
    this.#origin = origin;
    this.#open = open;
    this.#maxCalls = maxCalls;
  }

  /** Runs a call as soon as fewer than `maxCalls` are under way. */
  call(exchange: Exchange, headers: string[]): void {
    this.#waiting.push({ exchange, headers });
    this.#startWaiting();
  }

  /** Runs a watch at once. */
  watch(exchange: Exchange, headers: string[]): void {
    this.#run(exchange, headers, nothing);
  }

  /** Gives every exchange up and closes every socket, at once. */
  destroy(reason: Error): void {
    for (const { exchange } of this.#waiting.splice(0)) exchange.abort(reason);
    for (const [connection, exchange] of this.#connections) {
      exchange?.abort(reason);
      connection.destroy();
    }
    this.#streams?.destroy(reason);
    this.#idle.length = 0;
  }

  #startWaiting(): void {
    while (this.#calls < this.#maxCalls) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (next.exchange.settled) continue;
      this.#calls++;
      this.#run(next.exchange, next.headers, () => {
        this.#calls--;
        this.#startWaiting();
      });
    }
  }

  #run(exchange: Exchange, headers: string[], onDone: () => void): void {
    const alone = (): void => this.#runAlone(exchange, headers, onDone);
    if (this.#streams?.takes(exchange.request)) {
      this.#streams.run(exchange, headers, onDone, alone);
    } else {
      alone();
    }
  }

  /** Runs an exchange on a connection that it has to itself. */
  #runAlone(exchange: Exchange, headers: string[], onDone: () => void): void {
    const connection = this.#idle.pop() ?? this.#tryConnect(exchange);
    if (connection === undefined) {
      onDone();
      return;
    }
    this.#connections.set(connection, exchange);
    exchange.onDone = (reusable) => {
      if (this.#connections.get(connection) !== exchange) return;
      this.#connections.set(connection, undefined);
      if (reusable) this.#keep(connection);
      else this.#discard(connection);
      onDone();
    };
    connection.start(exchange, headers);
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
    this.#connections.set(connection, undefined);
    connection.onDisconnect(() => {
      const index = this.#idle.lastIndexOf(connection);
      if (index === -1) return;
      this.#idle.splice(index, 1);
      this.#discard(connection);
    });
    return connection;
  }

  #keep(connection: Connection): void {
    connection.answered();
    this.#idle.push(connection);
  }

  #discard(connection: Connection): void {
    this.#connections.delete(connection);
    connection.destroy();
  }
}
