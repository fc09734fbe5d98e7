import type { Dispatcher } from "undici";
import { hasFakeImmediates } from "../../time/event-loop.js";
import { type HttpRequest, textBodyOf } from "../../wire/http.js";
import type { Exchange, ExchangeOwner } from "../exchange/exchange.js";
import { UndiciHandler } from "./undici-handler.js";

/**
 * Opens a dispatcher for one connection: undici's `Client`, or a proxy agent. `abandon` ends a
 * connection that is still being opened; destroying the dispatcher would not end it before its
 * timeout. `halfClose` closes the client's half of the socket.
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
const MAX_FIRST_LINE_BYTES = 4096;
const LINE_OVERHEAD_BYTES = "DELETE  HTTP/1.1\r\n".length;

/**
 * With TLS 1.3 a server may refuse the client's certificate after the first request was sent. When
 * a large body is still being sent, the reset of the connection discards the alert.
 */
const MAX_FIRST_BODY_BYTES = 16 * 1024;

/** One HTTP/1.1 connection. It carries one exchange at a time. */
export class Connection implements ExchangeOwner {
  /** Called when an exchange has ended. `reusable`: the connection is in order. */
  onDone: (exchange: Exchange, reusable: boolean) => void = () => {};

  readonly #dispatcher: Dispatcher;
  readonly #abandon: () => void;
  readonly #halfCloseSocket: () => void;
  readonly #origin: string;
  /** Whether a response was received since the socket was opened. */
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

  /** Calls `listener` when the socket was closed. The next exchange opens a new socket. */
  onDisconnect(listener: () => void): void {
    this.#dispatcher.on("disconnect", () => {
      this.#warm = false;
      listener();
    });
  }

  /** The current exchange. */
  get exchange(): Exchange | undefined {
    return this.#exchange;
  }

  start(exchange: Exchange, headers: string[]): void {
    this.#exchange = exchange;
    exchange.owner = this;
    exchange.reusesConnection = this.#warm;
    // With fake immediates, undici never sends a second request.
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
    // Comes before the dispatcher's destroy, which would create an error whose stack Node captures.
    this.#abandon();
    void this.#dispatcher.destroy();
  }

  #mayBeFirst(request: HttpRequest): boolean {
    return this.#origin.startsWith("https:")
      ? (textBodyOf(request)?.length ?? 0) <= MAX_FIRST_BODY_BYTES
      : request.path.length + LINE_OVERHEAD_BYTES <= MAX_FIRST_LINE_BYTES;
  }

  #dispatch(exchange: Exchange, headers: string[]): void {
    const { method, path } = exchange.request;
    const body = textBodyOf(exchange.request) ?? null;
    const origin = this.#origin;
    // The exchange has its own timeout. A watch may stay silent for days.
    try {
      this.#dispatcher.dispatch(
        { origin, method, path, body, headers, headersTimeout: 0, bodyTimeout: 0 },
        new UndiciHandler(exchange, {
          end: () => this.done(exchange, false),
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
