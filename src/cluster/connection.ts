import type { Dispatcher } from "undici";
import type { Exchange } from "./exchange.js";

/** A connector of one connection's worth: undici's `Client`, or an agent that goes by a proxy. */
export type OpenDispatcher = () => Dispatcher;

/**
 * etcd 3.4 and 3.5 reset a plaintext connection whose first request line is longer than 4096 bytes;
 * later lines may be longer.
 */
const FIRST_LINE_LIMIT = 4096;
const LINE_OVERHEAD = "DELETE  HTTP/1.1\r\n".length;

/** Time-outs are the exchange's own business: a watch may stay silent for days. */
const NO_TIMEOUT = { headersTimeout: 0, bodyTimeout: 0 } as const;

/** One connection, which carries one exchange at a time. */
export class Connection {
  readonly #dispatcher: Dispatcher;
  readonly #origin: string;
  /** Whether a request was answered since the socket was opened. */
  #warm = false;

  constructor(origin: string, open: OpenDispatcher) {
    this.#origin = origin;
    this.#dispatcher = open();
  }

  /** Tells when the socket was closed; the next exchange opens a new one. */
  onDisconnect(listener: () => void): void {
    this.#dispatcher.on("disconnect", () => {
      this.#warm = false;
      listener();
    });
  }

  start(exchange: Exchange, headers: readonly string[]): void {
    const { path } = exchange.request;
    if (this.#warm || path.length + LINE_OVERHEAD <= FIRST_LINE_LIMIT) {
      this.#dispatch(exchange, headers);
    } else {
      this.#warmUp(exchange, headers);
    }
  }

  /** Closes the socket at once. */
  destroy(): void {
    void this.#dispatcher.destroy();
  }

  #dispatch(exchange: Exchange, headers: readonly string[]): void {
    const { method, path, body = null } = exchange.request;
    try {
      this.#dispatcher.dispatch(
        { origin: this.#origin, method, path, body, headers: [...headers], ...NO_TIMEOUT },
        exchange,
      );
    } catch (error) {
      exchange.fail(error as Error);
    }
  }

  #warmUp(exchange: Exchange, headers: readonly string[]): void {
    this.#dispatcher.dispatch(
      { origin: this.#origin, method: "GET", path: "/version" },
      {
        onRequestStart: () => {},
        onResponseStart: () => {},
        onResponseData: () => {},
        onResponseEnd: () => {
          this.#warm = true;
          if (!exchange.settled) this.#dispatch(exchange, headers);
        },
        onResponseError: (_controller, error) => exchange.fail(error),
      },
    );
  }
}
