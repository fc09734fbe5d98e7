import type { Socket } from "node:net";
import { type Clock, socketTimeout } from "../../time/clock.js";
import { GRPC_TYPE } from "../../wire/grpc.js";
import type { HttpRequest } from "../../wire/http.js";
import type { Exchange } from "../exchange/exchange.js";
import { CONNECTION_WINDOW_BYTES, Http2Session, type RequestField } from "./http2-session.js";

/** A broken connection breaks all its streams, so their number is limited. */
const MAX_STREAMS_PER_CONNECTION = 1_000;

/** Flow-control windows of streams. Calls may be long listings. Watches: HTTP/2's default, as there may be many. */
const WINDOW_BYTES = { calls: CONNECTION_WINDOW_BYTES, watches: 65_535 };

/** gRPC servers close a connection with more than one ping in 5 s. */
const PING_INTERVAL_MS = 6_000;

/** Settings of one HTTP/2 connection. */
export interface Http2ConnectionSettings {
  /** Timeout of the SETTINGS of the server, and of its response to a ping, in milliseconds. */
  readonly timeout: number;
  readonly clock: Clock;
  /** Milliseconds that a connection without streams stays open. */
  readonly keepAlive: number;
  /** On GOAWAY, a connection of watches closes at once: they resume at another endpoint. */
  readonly carries: "calls" | "watches";
  /** Called when a stream ended without a response and the connection is checked with a ping. */
  readonly onPing?: () => void;
  /** The id of the first stream, an odd number. @default 1 */
  readonly firstStream?: number | undefined;
}

/** One HTTP/2 connection. It carries many exchanges at a time. */
export class Http2Connection {
  /** Resolves when the server's SETTINGS were received. Rejects when the connection has failed. */
  readonly ready: Promise<void>;
  readonly #session: Http2Session;
  readonly #timeout: number;
  readonly #clock: Clock;
  readonly #origin: URL;
  readonly #onPing: (() => void) | undefined;
  #hasSettings = false;
  #maxStreams = 0;
  /** Whether a response was received. The connection may have died while idle since then. */
  #warm = false;
  /** Whether the response to a ping is pending. Until it arrives, new exchanges use another connection. */
  #pingPending = false;
  #pingedAt = Number.NEGATIVE_INFINITY;
  /** Of the timer that waits for SETTINGS, or for the response to a ping. */
  #cancelTimer: () => void = () => {};

  /** @param socket is open, and nobody has read from it */
  constructor(
    origin: URL,
    socket: Socket,
    { timeout, clock, keepAlive, carries, onPing, firstStream }: Http2ConnectionSettings,
    onClose: () => void,
  ) {
    this.#timeout = timeout;
    this.#clock = clock;
    this.#onPing = onPing;
    this.#origin = origin;
    let onReady = (_failure?: Error): void => {};
    this.ready = new Promise((resolve, reject) => {
      onReady = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
    const session = new Http2Session(
      socket,
      { streamWindow: WINDOW_BYTES[carries], firstStream },
      {
        onSettings: (maxStreams) => {
          if (!this.#hasSettings) {
            this.#hasSettings = true;
            this.#cancelTimer();
            socket.setTimeout(keepAlive);
          }
          this.#maxStreams = Math.min(maxStreams, MAX_STREAMS_PER_CONNECTION);
          if (maxStreams > 0) onReady();
          else {
            onReady(new Error("the endpoint accepts no HTTP/2 streams"));
            session.close();
          }
        },
        onGoaway: () => {
          if (carries === "watches") session.destroy(new Error("the endpoint is shutting down"));
        },
        onResponse: () => {
          this.#warm = true;
        },
        onSilentStream: () => this.onSilentStream(),
        onClose: (error) => {
          this.#cancelTimer();
          onReady(error);
          onClose();
        },
      },
    );
    this.#session = session;
    this.#cancelTimer = socketTimeout(clock, timeout, () =>
      session.destroy(
        new Error(`connected, but no response: no HTTP/2 SETTINGS within ${timeout} ms`),
      ),
    );
    socket.on("timeout", () => {
      // The server does not read the last bytes.
      if (session.isClosed) socket.destroy();
      else if (session.streams === 0) session.close();
    });
  }

  /** Starts an exchange. @returns false if the connection accepts no more streams */
  start(exchange: Exchange, headers: string[]): boolean {
    const { isOpen, streams } = this.#session;
    if (!isOpen || this.#pingPending || streams >= this.#maxStreams) return false;
    const { request } = exchange;
    const { grpc, isWatch = false } = request;
    const { body } = grpc ?? request;
    exchange.reusesConnection = this.#warm;
    // A gRPC watch is bidirectional. etcd's grpc-proxy ends a watch whose request stream has ended.
    const ends = grpc === undefined || !isWatch;
    this.#session.request(exchange, fieldsOf(request, headers, this.#origin), bytesOf(body), ends);
    return true;
  }

  /** A stream ended without a response. Sends a ping, and ends the connection if the ping gets no response. */
  onSilentStream(): void {
    // A timer runs already.
    if (!this.#hasSettings || this.#pingPending || this.#session.isClosed) return;
    const now = this.#clock.monotonic();
    if (now - this.#pingedAt < PING_INTERVAL_MS) return;
    this.#pingedAt = now;
    this.#pingPending = true;
    this.#cancelTimer = socketTimeout(this.#clock, this.#timeout, () =>
      this.#session.destroy(new Error(`no response to an HTTP/2 PING within ${this.#timeout} ms`)),
    );
    this.#session.ping(() => {
      this.#pingPending = false;
      this.#cancelTimer();
    });
    this.#onPing?.();
  }

  /** Closes the socket at once. */
  destroy(): void {
    this.#session.destroy(new Error("the client was closed"));
  }
}

/** The HTTP/2 header fields of a request. */
function fieldsOf(
  { method, path, grpc }: HttpRequest,
  headers: readonly string[],
  { host, protocol }: URL,
): readonly RequestField[] {
  const fields: RequestField[] = [
    [":method", method, "indexed"],
    [":scheme", protocol.slice(0, -1), "indexed"],
    grpc === undefined ? [":path", path, "literal"] : [":path", grpc.path, "indexed"],
    [":authority", host, "indexed"],
  ];
  if (grpc !== undefined) {
    fields.push(["content-type", GRPC_TYPE, "indexed"], ["te", "trailers", "indexed"]);
  }
  for (let at = 0; at < headers.length; at += 2) {
    const [name = "", value = ""] = [headers[at]?.toLowerCase(), headers[at + 1]];
    if (name === "content-type" && grpc !== undefined) continue;
    fields.push([name, value, name === "authorization" ? "secret" : "indexed"]);
  }
  return fields;
}

function bytesOf(body: Buffer | string | undefined): Buffer | undefined {
  return typeof body === "string" ? Buffer.from(body) : body;
}
