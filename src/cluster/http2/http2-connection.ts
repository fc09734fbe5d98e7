import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { type Clock, deadline } from "../../time/clock.js";
import { GRPC_TYPE } from "../../wire/grpc.js";
import type { HttpRequest } from "../../wire/http.js";
import type { Exchange } from "../exchange/exchange.js";
import { Http2StreamAdapter } from "./http2-stream-adapter.js";
import { holdFor, nativeSessionOf } from "./native-session.js";

/** What breaks a connection breaks all its streams: not too many of them. */
const MAX_STREAMS = 1_000;

/**
 * Bytes that a server may send ahead of a reader: for calls enough that a long listing need not wait
 * on a wide network, for each of many watches as HTTP/2 has it.
 */
const WINDOWS = { calls: 4 * 1024 * 1024, watches: 65_535 };

/**
 * Megabytes beyond which Node refuses what comes, even the answers to what it has sent: what waits to be
 * sent counts. No limit, as that is bounded by the callers, and what comes by the windows.
 */
const MEMORY = 1_000_000;

/** Milliseconds between two pings: gRPC's servers end a connection with more than one in 5 s. */
const PING_INTERVAL = 6_000;

/** What is told of a connection that streams run on. */
export interface Http2ConnectionSettings {
  /** Milliseconds within which the server must tell its settings and answer pings. */
  readonly timeout: number;
  readonly clock: Clock;
  /** Milliseconds that a connection without streams stays open. */
  readonly keepAlive: number;
  /** Watches go on elsewhere as soon as the endpoint says that it is shutting down. */
  readonly carries: "calls" | "watches";
  /** Called when a stream got no answer and the connection is put to the test. */
  readonly onSilent?: () => void;
}

/** One connection of HTTP/2, which carries many exchanges at a time. */
export class Http2Connection {
  /** Settled when the server has told how many streams it takes, or the connection has failed. */
  readonly ready: Promise<void>;
  readonly #session: ClientHttp2Session;
  readonly #native: object | undefined;
  readonly #timeout: number;
  readonly #clock: Clock;
  /** Node's own for an IPv6 address would be none that is valid. */
  readonly #authority: string;
  readonly #onSilent: (() => void) | undefined;
  #room = 0;
  #streams = 0;
  /** Whether a stream was answered: later ones may find that the connection has died meanwhile. */
  #warm = false;
  /** Whether a ping is out: until it is answered, what is new goes elsewhere. */
  #doubted = false;
  #pingedAt = Number.NEGATIVE_INFINITY;
  #lastStream = Number.MAX_SAFE_INTEGER;

  constructor(
    origin: URL,
    socket: Socket,
    { timeout, clock, keepAlive, carries, onSilent }: Http2ConnectionSettings,
    onClose: () => void,
  ) {
    this.#timeout = timeout;
    this.#clock = clock;
    this.#onSilent = onSilent;
    this.#authority = origin.host;
    const session = connect(origin, {
      createConnection: () => socket,
      maxSessionMemory: MEMORY,
      settings: { enablePush: false, initialWindowSize: WINDOWS[carries] },
    });
    session.once("connect", () => {
      if (!session.destroyed) session.setLocalWindowSize(WINDOWS.calls);
    });
    this.#session = session;
    this.#native = nativeSessionOf(session);
    this.ready = this.#settings(keepAlive);
    session.on("close", onClose);
    // The session itself closes some turns of the event loop later.
    socket.once("end", () => session.close());
    session.on("goaway", (_code, lastStream) => {
      this.#lastStream = lastStream;
      if (carries === "watches") session.destroy(new Error("the endpoint is shutting down"));
    });
    session.on("timeout", () => {
      if (this.#streams === 0) session.close();
    });
    // What waits holds the process by its time-out; then a stream does.
    session.unref();
  }

  get lastStream(): number {
    return this.#lastStream;
  }

  /** Runs an exchange if there is room for it. */
  start(exchange: Exchange, headers: string[]): boolean {
    const { closed, destroyed } = this.#session;
    if (closed || destroyed || this.#doubted || this.#streams >= this.#room) return false;
    const stream = this.#session.request(fieldsOf(exchange.request, headers, this.#authority));
    const { grpc, streams } = exchange.request;
    const { body } = grpc ?? exchange.request;
    // A watch of gRPC goes both ways: etcd's grpc-proxy ends one whose requests have ended.
    if (grpc !== undefined && streams) stream.write(body);
    else if (body !== undefined) stream.end(body);
    if (this.#streams++ === 0) this.#session.ref();
    exchange.reusesConnection = this.#warm;
    stream.once("response", () => {
      this.#warm = true;
    });
    stream.once("close", () => {
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) holdFor(stream, this.#native);
      if (--this.#streams === 0) this.#session.unref();
    });
    new Http2StreamAdapter(stream, this).drive(exchange);
    return true;
  }

  /** A stream broke, perhaps as the first of all: the others may go on, but there will be no more. */
  broken(): void {
    this.#session.close();
  }

  /** A stream got no answer: if a ping gets none either, the connection and its streams are ended. */
  silent(): void {
    const now = this.#clock.monotonic();
    if (now - this.#pingedAt < PING_INTERVAL || this.#session.destroyed) return;
    this.#pingedAt = now;
    this.#doubted = true;
    const giveUp = () => this.#session.destroy(new Error("the endpoint answers no ping"));
    const cancelTimer = deadline(this.#clock, this.#timeout, giveUp);
    // Called with an error when the session ends before.
    this.#session.ping(() => {
      this.#doubted = false;
      cancelTimer();
    });
    this.#onSilent?.();
  }

  /** Follows the server's settings. @returns what settles with the first of them */
  #settings(keepAlive: number): Promise<void> {
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const cancelTimer = deadline(this.#clock, this.#timeout, () => session.close());
      session.once("remoteSettings", cancelTimer);
      session.once("close", cancelTimer);
      session.on("remoteSettings", ({ maxConcurrentStreams = MAX_STREAMS }) => {
        this.#room = Math.min(maxConcurrentStreams, MAX_STREAMS);
        session.setTimeout(keepAlive);
        if (this.#room > 0) return resolve();
        reject(new Error("the endpoint takes no streams"));
        session.close();
      });
      session.on("error", reject);
      session.on("close", () => reject(new Error("the connection was closed before any HTTP/2")));
    });
  }

  /** Closes the socket at once. */
  destroy(): void {
    this.#session.destroy();
  }
}

/** A request's fields in HTTP/2, its own headers included. */
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
