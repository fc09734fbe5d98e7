import { type ClientHttp2Stream, constants } from "node:http2";
import type { Dispatcher } from "undici";
import type { Exchange } from "./exchange.js";

/** What a connection should know of its streams. */
interface StreamOwner {
  /** A stream was given up before it was answered. */
  silent(): void;
  /** A stream was ended by the other side, or by the connection's own end. */
  broken(): void;
}

/** One stream of an HTTP/2 connection as an exchange sees it: as it sees an undici connection. */
export class StreamController implements Dispatcher.DispatchController {
  readonly #stream: ClientHttp2Stream;
  readonly #connection: StreamOwner;
  #reason: Error | null = null;
  #answered = false;

  constructor(stream: ClientHttp2Stream, connection: StreamOwner) {
    this.#stream = stream;
    this.#connection = connection;
  }

  get aborted(): boolean {
    return this.#reason !== null;
  }

  get reason(): Error | null {
    return this.#reason;
  }

  get paused(): boolean {
    return this.#stream.isPaused();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Ends this stream alone. */
  abort(reason: Error): void {
    if (this.aborted) return;
    this.#reason = reason;
    if (!this.#answered) this.#connection.silent();
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  /** Hands over what happens on the stream, until it is aborted. */
  drive(exchange: Exchange): void {
    const stream = this.#stream;
    let failure: Error | undefined;
    exchange.onRequestStart(this);
    stream.on("response", (headers) => {
      this.#answered = true;
      if (!this.aborted) exchange.onResponseStart(this, Number(headers[":status"]), headers);
    });
    stream.on("data", (chunk: Buffer) => {
      if (!this.aborted) exchange.onResponseData(this, chunk);
    });
    stream.on("error", (error) => {
      failure = error;
    });
    // A broken connection, too, ends its streams as if in order: only the code tells.
    stream.once("close", () => {
      if (this.aborted) return;
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR && failure === undefined) {
        exchange.onResponseEnd();
        return;
      }
      this.#connection.broken();
      exchange.fail(failure ?? new Error("the connection was closed"));
    });
  }
}
