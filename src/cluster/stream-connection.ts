import { type ClientHttp2Session, connect } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { Exchange } from "./exchange.js";
import { StreamController } from "./stream-controller.js";

/** What breaks a connection breaks all its streams: not too many of them. */
const MAX_STREAMS = 1_000;

/** Milliseconds that a connection without streams stays open. */
const KEEP_ALIVE = 30_000;

/** One connection of HTTP/2, which carries many exchanges at a time. */
export class StreamConnection {
  /** Settled when the server has told how many streams it takes, or the connection has failed. */
  readonly ready: Promise<void>;
  readonly #session: ClientHttp2Session;
  readonly #timeout: number;
  #room = 0;
  #streams = 0;
  #doubted = false;

  /** @param timeout milliseconds within which the server must tell its settings and answer pings */
  constructor(origin: URL, socket: TLSSocket, timeout: number, onClose: () => void) {
    this.#timeout = timeout;
    const session = connect(origin, {
      createConnection: () => socket,
      settings: { enablePush: false },
    });
    this.#session = session;
    this.ready = new Promise((resolve, reject) => {
      session.on("remoteSettings", ({ maxConcurrentStreams = MAX_STREAMS }) => {
        this.#room = Math.min(maxConcurrentStreams, MAX_STREAMS);
        session.setTimeout(KEEP_ALIVE);
        if (this.#room > 0) resolve();
        else session.destroy(new Error("the endpoint takes no streams"));
      });
      session.on("error", reject);
      session.on("close", () => reject(new Error("the connection was closed")));
    });
    session.on("close", onClose);
    // An endpoint that is about to stop serves its streams no more: they go on elsewhere.
    session.on("goaway", () => session.destroy(new Error("the endpoint is shutting down")));
    session.setTimeout(timeout, () => {
      if (this.#streams === 0) session.close();
    });
    // What waits holds the process by its time-out; then a stream does.
    session.unref();
  }

  /** Runs an exchange if there is room for it. */
  start(exchange: Exchange, headers: string[]): boolean {
    const { closed, destroyed } = this.#session;
    if (closed || destroyed || this.#streams >= this.#room) return false;
    const { method, path, body } = exchange.request;
    const fields = { ":method": method, ":path": path, ...Object.fromEntries(pairs(headers)) };
    const stream = this.#session.request(fields);
    if (body !== undefined) stream.end(body);
    if (this.#streams++ === 0) this.#session.ref();
    stream.once("close", () => {
      if (--this.#streams === 0) this.#session.unref();
    });
    new StreamController(stream, this).drive(exchange);
    return true;
  }

  /** A stream broke, perhaps as the first of all: the others may go on, but there will be no more. */
  broken(): void {
    this.#session.close();
  }

  /** A stream got no answer: if a ping gets none either, the connection and its streams are ended. */
  silent(): void {
    if (this.#doubted || this.#session.destroyed) return;
    this.#doubted = true;
    const giveUp = () => this.#session.destroy(new Error("the endpoint answers no ping"));
    const timer = setTimeout(giveUp, this.#timeout).unref();
    this.#session.ping(() => {
      this.#doubted = false;
      clearTimeout(timer);
    });
  }

  /** Closes the socket at once. */
  destroy(): void {
    this.#session.destroy();
  }
}

function* pairs(headers: string[]): Generator<[string, string]> {
  for (let i = 0; i < headers.length; i += 2) yield [headers[i] ?? "", headers[i + 1] ?? ""];
}
