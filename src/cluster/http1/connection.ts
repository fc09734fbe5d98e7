import type { Dispatcher } from "undici";
import { hasFakeImmediates } from "../../time/event-loop.js";
import type { HttpRequest } from "../../wire/http.js";
import type { Exchange, ExchangeOwner } from "../exchange/exchange.js";
import { UndiciHandler } from "./undici-handler.js";

/**
 * A connector of one connection's worth: undici's `Client`, or an agent that goes by a proxy.
 * `abandon` ends a connection that is still being made: destroying the dispatcher would let it go
 * on to its time-out. `halfClose` ends the client's half of its socket.
 */
export type OpenDispatcher = () => {
  readonly dispatcher: Dispatcher;
  abandon(): void;
  halfClose(): void;
};

/**
 * etcd 3.4 and 3.5 reset a plaintext connection whose first request line is longer than 4096 bytes;
 * later lines may be longer.
 */
const FIRST_LINE_LIMIT = 4096;
const LINE_OVERHEAD = "DELETE  HTTP/1.1\r\n".length;

/**
 * With TLS 1.3 a server may refuse the client's certificate after the first request was sent. Where
 * much more is still to be sent, the refusal is lost in the connection's reset.
 */
const FIRST_BODY_LIMIT = 16 * 1024;

/** One connection, which carries one exchange at a time. */
export class Connection implements ExchangeOwner {
  /** Called when an exchange no longer needs the connection; it is reusable if it is in order. */
  onDone: (exchange: Exchange, reusable: boolean) => void = () => {};

  readonly #dispatcher: Dispatcher;
  readonly #abandon: () => void;
  readonly #halfCloseSocket: () => void;
  readonly #origin: string;
  /** Whether a request was answered since the socket was opened. */
  #warm = false;
  #isHalfClosed = false;
  #exchange: Exchange | undefined;

  constructor(origin: string, open: OpenDispatcher) {
    this.#origin = origin;
    const { dispatcher, abandon, halfClose } = open();
    this.#dispatcher = dispatcher;
    this.#abandon = abandon;
    this.#halfCloseSocket = halfClose;
  }

  /** Tells when the socket was closed; the next exchange opens a new one. */
  onDisconnect(listener: () => void): void {
    this.#dispatcher.on("disconnect", () => {
      this.#warm = false;
      listener();
    });
  }

  /** What it carries. */
  get exchange(): Exchange | undefined {
    return this.#exchange;
  }

  start(exchange: Exchange, headers: string[]): void {
    this.#exchange = exchange;
    exchange.owner = this;
    exchange.reusesConnection = this.#warm;
    // With fake immediates, undici would never send a second request.
    const mustBeFirst = hasFakeImmediates();
    if (this.#warm || mustBeFirst || this.#mayBeFirst(exchange.request)) {
      this.#dispatch(exchange, headers);
    } else this.#warmUp(exchange, headers);
  }

  done(exchange: Exchange, reusable: boolean): void {
    if (this.#exchange !== exchange) return;
    this.#exchange = undefined;
    if (reusable) this.#warm = true;
    this.onDone(exchange, reusable && !this.#isHalfClosed);
  }

  /** Closes the socket at once. */
  destroy(): void {
    // Before the dispatcher does it, with an error of which Node would write out the stack.
    this.#abandon();
    void this.#dispatcher.destroy();
  }

  #mayBeFirst({ path, body = "" }: HttpRequest): boolean {
    return this.#origin.startsWith("https:")
      ? body.length <= FIRST_BODY_LIMIT
      : path.length + LINE_OVERHEAD <= FIRST_LINE_LIMIT;
  }

  #dispatch(exchange: Exchange, headers: string[]): void {
    const { method, path, body = null } = exchange.request;
    const origin = this.#origin;
    // Time-outs are the exchange's own business: a watch may stay silent for days.
    try {
      this.#dispatcher.dispatch(
        { origin, method, path, body, headers, headersTimeout: 0, bodyTimeout: 0 },
        new UndiciHandler(exchange, {
          giveUp: () => this.done(exchange, false),
          halfClose: () => this.#halfClose(),
        }),
      );
    } catch (error) {
      exchange.fail(error as Error);
    }
  }

  #halfClose(): void {
    this.#isHalfClosed = true;
    this.#halfCloseSocket();
  }

  #warmUp(exchange: Exchange, headers: string[]): void {
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
