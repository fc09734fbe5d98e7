import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "../../time/event-loop.js";
import type { ClientConnection } from "./client-connection.js";
import { type MemoryBudget, MIN_COUNTED_BYTES } from "./memory-budget.js";
import type { V2Handler } from "./message.js";
import { type HeaderBlock, type ParserLimits, parseRequest } from "./request-parser.js";
import { serveWith } from "./serve-with.js";
import { SocketRequest } from "./socket-request.js";
import { SocketResponse } from "./socket-response.js";

/** The channel on which `node:http` shows its requests. */
const REQUESTS = channel("http.server.request.start");

/** What the connections of a server have in common. */
export interface DirectService extends ParserLimits {
  readonly handler: V2Handler;
  readonly budget: MemoryBudget;
  /** Milliseconds for the first bytes to arrive; 0: no limit. */
  readonly headersTimeout: number;
  /** Lets `node:http` read a socket from now on. */
  readonly attach: (socket: Socket) => void;
  /** Called when no bytes have arrived in time. Nothing is read from the socket any more. */
  readonly onTimeout: (socket: Socket) => void;
}

/**
 * Reads requests from a socket without `node:http`, which takes a third of the time of a request, as long as each read brings exactly
 * one plain request, and none while another is in progress. The first other bytes go to `node:http`, as do all that follow: so
 * every decision about unusual bytes is made there.
 */
export class DirectConnection {
  readonly #socket: Socket;
  readonly #connection: ClientConnection;
  readonly #service: DirectService;
  readonly #timer: NodeJS.Timeout | undefined;
  #headers: HeaderBlock | undefined;
  /** The response to the request in progress. */
  #response: SocketResponse | undefined;

  constructor(socket: Socket, connection: ClientConnection, service: DirectService) {
    this.#socket = socket;
    this.#connection = connection;
    this.#service = service;
    const { headersTimeout } = service;
    if (headersTimeout > 0) this.#timer = setTimeout(this.#onTimeout, headersTimeout).unref();
    socket.on("data", this.#onData).on("end", this.#onEnd).on("error", ignore);
    socket.on("drain", () => this.#response?.emit("drain"));
    socket.once("close", () => {
      clearTimeout(this.#timer);
      this.#response?.closed();
    });
  }

  readonly #onData = (bytes: Buffer): void => {
    clearTimeout(this.#timer);
    // As long as the memory budget does not count a request, and nobody asks `node:http` about its requests.
    const isPlain =
      this.#response === undefined && bytes.length < MIN_COUNTED_BYTES && !REQUESTS.hasSubscribers;
    const request = isPlain ? parseRequest(bytes, this.#service, this.#headers) : undefined;
    if (request === undefined) {
      this.#handOver(bytes);
      return;
    }
    this.#headers = request.headers;
    const response = new SocketResponse(this.#socket, request.method);
    this.#response = response;
    this.#connection.begin(response, request.target.length + request.headers.text.length);
    response.once("close", () => {
      this.#response = undefined;
    });
    const { handler, budget } = this.#service;
    serveWith(handler, new SocketRequest(request, response), response, budget);
  };

  readonly #onEnd = (): void => {
    clearTimeout(this.#timer);
    // After a request in progress, `ClientConnection` closes the connection.
    if (this.#response === undefined) this.#socket.end();
  };

  readonly #onTimeout = (): void => {
    this.#stop();
    this.#socket.on("error", ignore).resume();
    this.#service.onTimeout(this.#socket);
  };

  #stop(): void {
    this.#socket.off("data", this.#onData).off("end", this.#onEnd).off("error", ignore);
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket;
    this.#stop();
    const before = socket.listeners("end");
    this.#service.attach(socket);
    if (this.#response !== undefined) this.#delayEnd(before);
    socket.unshift(bytes);
  }

  /** `node:http` does not know of the request in progress, and would end the connection when the client half-closes it. */
  #delayEnd(before: readonly unknown[]): void {
    const socket = this.#socket;
    for (const listener of socket.listeners("end")) {
      if (before.includes(listener)) continue;
      const onEnd = listener as () => void;
      socket.off("end", onEnd).on("end", () => {
        if (this.#response === undefined) onEnd();
        else this.#response.once("close", onEnd);
      });
    }
  }
}

function ignore(): void {}
