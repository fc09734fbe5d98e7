import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { type Clock, socketTimeout } from "../../time/clock.js";
import { GRPC_TYPE } from "../../wire/grpc.js";
import type { HttpRequest } from "../../wire/http.js";
import type { Exchange } from "../exchange/exchange.js";
import { Http2StreamAdapter } from "./http2-stream-adapter.js";
import { keepForStream, nativeSessionOf } from "./native-session.js";

/** A broken connection breaks all its streams, so their number is limited. */
const MAX_STREAMS_PER_CONNECTION = 1_000;

/**
 * Flow-control windows. Calls: large enough that a long listing does not wait on a high-latency
 * network. Watches: HTTP/2's default, as there may be many.
 */
const WINDOW_BYTES = { calls: 4 * 1024 * 1024, watches: 65_535 };

/**
 * Node's limit on the memory of a session. It includes data waiting to be sent, and beyond it Node
 * even rejects responses. Effectively unlimited: callers bound the sent data, the windows bound the
 * received data.
 */
const MAX_SESSION_MEMORY_MB = 1_000_000;

/** Node keeps every origin that a server announces in ORIGIN frames, although nothing uses them. */
const MAX_ORIGINS = 50;

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
}

/** One HTTP/2 connection. It carries many exchanges at a time. */
export class Http2Connection {
  /** Resolves when the server's SETTINGS were received. Rejects when the connection has failed. */
  readonly ready: Promise<void>;
  readonly #session: ClientHttp2Session;
  readonly #native: object | undefined;
  readonly #timeout: number;
  readonly #clock: Clock;
  /** Set explicitly, because Node's own is invalid for IPv6 addresses. */
  readonly #authority: string;
  readonly #onPing: (() => void) | undefined;
  #maxStreams = 0;
  #streams = 0;
  /** Whether a response was received. The connection may have died while idle since then. */
  #warm = false;
  /** Whether the response to a ping is pending. Until it arrives, new exchanges use another connection. */
  #pingPending = false;
  #pingedAt = Number.NEGATIVE_INFINITY;
  #lastStream = Number.MAX_SAFE_INTEGER;

  constructor(
    origin: URL,
    socket: Socket,
    { timeout, clock, keepAlive, carries, onPing }: Http2ConnectionSettings,
    onClose: () => void,
  ) {
    this.#timeout = timeout;
    this.#clock = clock;
    this.#onPing = onPing;
    this.#authority = origin.host;
    const session = connect(origin, {
      createConnection: () => socket,
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES[carries] },
    });
    session.once("connect", () => {
      if (!session.destroyed) session.setLocalWindowSize(WINDOW_BYTES.calls);
    });
    this.#session = session;
    this.#native = nativeSessionOf(session);
    this.ready = this.#followSettings(keepAlive);
    session.on("close", onClose);
    // The session's own close event follows some turns of the event loop later.
    socket.once("end", () => session.close());
    session.on("goaway", (_code, lastStream) => {
      this.#lastStream = lastStream;
      if (carries === "watches") session.destroy(new Error("the endpoint is shutting down"));
    });
    let origins = 0;
    session.on("origin", (received) => {
      origins += received.length;
      if (origins > MAX_ORIGINS) session.destroy(new Error("the endpoint sends too many origins"));
    });
    session.on("timeout", () => {
      if (this.#streams === 0) session.close();
    });
    // A waiting request keeps the process alive through its timeout, a running one through its
    // stream.
    session.unref();
  }

  get lastStream(): number {
    return this.#lastStream;
  }

  /** Starts an exchange. @returns false if the connection accepts no more streams */
  start(exchange: Exchange, headers: string[]): boolean {
    const { closed, destroyed } = this.#session;
    if (closed || destroyed || this.#pingPending || this.#streams >= this.#maxStreams) return false;
    const stream = this.#session.request(fieldsOf(exchange.request, headers, this.#authority));
    const { grpc, isWatch: streams } = exchange.request;
    const { body } = grpc ?? exchange.request;
    // A gRPC watch is bidirectional. etcd's grpc-proxy ends a watch whose request stream has ended.
    if (grpc !== undefined && streams) stream.write(body);
    else if (body !== undefined) stream.end(body);
    if (this.#streams++ === 0) this.#session.ref();
    exchange.reusesConnection = this.#warm;
    stream.once("response", () => {
      this.#warm = true;
    });
    stream.once("close", () => {
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) keepForStream(stream, this.#native);
      if (--this.#streams === 0) this.#session.unref();
    });
    new Http2StreamAdapter(stream, this).drive(exchange);
    return true;
  }

  /** A stream broke. Closes the connection for new streams; running streams continue. */
  onBroken(): void {
    this.#session.close();
  }

  /** A stream ended without a response. Sends a ping, and ends the connection if the ping gets no response. */
  onSilentStream(): void {
    const now = this.#clock.monotonic();
    if (now - this.#pingedAt < PING_INTERVAL_MS || this.#session.destroyed) return;
    this.#pingedAt = now;
    this.#pingPending = true;
    const giveUp = () =>
      this.#session.destroy(new Error("the endpoint does not respond to an HTTP/2 ping"));
    const cancelTimer = socketTimeout(this.#clock, this.#timeout, giveUp);
    // Also called, with an error, when the session ends first.
    this.#session.ping(() => {
      this.#pingPending = false;
      cancelTimer();
    });
    this.#onPing?.();
  }

  /** Applies the server's SETTINGS. @returns a promise that resolves with the first SETTINGS */
  #followSettings(keepAlive: number): Promise<void> {
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const cancelTimer = socketTimeout(this.#clock, this.#timeout, () => session.close());
      session.once("remoteSettings", cancelTimer);
      session.once("close", cancelTimer);
      session.on("remoteSettings", ({ maxConcurrentStreams = MAX_STREAMS_PER_CONNECTION }) => {
        this.#maxStreams = Math.min(maxConcurrentStreams, MAX_STREAMS_PER_CONNECTION);
        session.setTimeout(keepAlive);
        if (this.#maxStreams > 0) return resolve();
        reject(new Error("the endpoint accepts no HTTP/2 streams"));
        session.close();
      });
      session.on("error", reject);
      session.on("close", () => reject(new Error("the connection closed before HTTP/2 began")));
    });
  }

  /** Closes the socket at once. */
  destroy(): void {
    this.#session.destroy();
  }
}

/** The HTTP/2 header fields of a request. */
function fieldsOf(
  { method, path, grpc }: HttpRequest,
  headers: string[],
  authority: string,
): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = {
    ":authority": authority,
    ":method": method,
    ":path": grpc?.path ?? path,
  };
  for (let i = 0; i < headers.length; i += 2) fields[headers[i] ?? ""] = headers[i + 1];
  if (grpc !== undefined) {
    fields["content-type"] = GRPC_TYPE;
    fields.te = "trailers";
  }
  return fields;
}
