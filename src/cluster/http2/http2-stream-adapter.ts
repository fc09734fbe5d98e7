import { type ClientHttp2Stream, constants } from "node:http2";
import { RefusedStreamError } from "../exchange/connection-errors.js";
import type { Exchange } from "../exchange/exchange.js";
import type { FlowControl } from "../exchange/flow-control.js";

/** What a connection should know of its streams. */
interface StreamOwner {
  /** The greatest number of a stream that the server may have looked at. */
  readonly lastStream: number;
  /** A stream was given up before it was answered. */
  silent(): void;
  /** A stream was ended by the other side, or by the connection's own end. */
  broken(): void;
}

/** One stream of an HTTP/2 connection as what carries an exchange. */
export class Http2StreamAdapter implements FlowControl {
  readonly #stream: ClientHttp2Stream;
  readonly #connection: StreamOwner;
  #aborted = false;
  #answered = false;

  constructor(stream: ClientHttp2Stream, connection: StreamOwner) {
    this.#stream = stream;
    this.#connection = connection;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Ends this stream alone. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    if (!this.#answered) this.#connection.silent();
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  /** Hands over what happens on the stream, until it is aborted. */
  drive(exchange: Exchange): void {
    const stream = this.#stream;
    let failure: Error | undefined;
    exchange.start(this);
    stream.on("response", (headers) => {
      this.#answered = true;
      if (!this.#aborted) exchange.takeHead(this, Number(headers[":status"]), headers);
    });
    stream.on("trailers", (trailers) => {
      if (!this.#aborted) exchange.takeTrailers(trailers);
    });
    stream.on("data", (chunk: Buffer) => {
      if (!this.#aborted) exchange.take(chunk);
    });
    stream.on("error", (error) => {
      failure = error;
    });
    // A broken connection, too, ends its streams as if in order: only the code tells.
    stream.once("close", () => {
      if (!this.#aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR && !failure) {
        exchange.end();
        return;
      }
      if (!this.#aborted) this.#connection.broken();
      exchange.fail(
        this.#isRefused
          ? new RefusedStreamError()
          : (failure ?? new Error("the connection was closed")),
      );
    });
  }

  get #isRefused(): boolean {
    // Without a number it was never sent: a connection runs out of them after 2^30 streams.
    const { rstCode, id = Number.POSITIVE_INFINITY } = this.#stream;
    return rstCode === constants.NGHTTP2_REFUSED_STREAM || id > this.#connection.lastStream;
  }
}
