import { type ClientHttp2Stream, constants } from "node:http2";
import { RefusedStreamError } from "../exchange/connection-errors.js";
import type { Exchange } from "../exchange/exchange.js";
import type { FlowControl } from "../exchange/flow-control.js";

/** The connection of a stream. */
interface StreamOwner {
  /** Highest id of a stream that the server may have processed. */
  readonly lastStream: number;
  /** A stream was aborted before its response. */
  onSilentStream(): void;
  /** A stream was ended by the server, or by the end of the connection. */
  onBroken(): void;
}

/** Connects one HTTP/2 stream with an exchange. */
export class Http2StreamAdapter implements FlowControl {
  readonly #stream: ClientHttp2Stream;
  readonly #connection: StreamOwner;
  #aborted = false;
  #hasResponse = false;

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

  /** Ends this stream only. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    if (!this.#hasResponse) this.#connection.onSilentStream();
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  /** Forwards the stream's events to the exchange until it is aborted. */
  drive(exchange: Exchange): void {
    const stream = this.#stream;
    let failure: Error | undefined;
    exchange.start(this);
    stream.on("response", (headers) => {
      this.#hasResponse = true;
      if (!this.#aborted) exchange.onHead(this, Number(headers[":status"]), headers);
    });
    stream.on("trailers", (trailers) => {
      if (!this.#aborted) exchange.onTrailers(trailers);
    });
    stream.on("data", (chunk: Buffer) => {
      if (!this.#aborted) exchange.onData(chunk);
    });
    stream.on("error", (error) => {
      failure = error;
    });
    // A broken connection also ends its streams without an error. Only the code shows the difference.
    stream.once("close", () => {
      if (!this.#aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR && !failure) {
        exchange.end();
        return;
      }
      if (!this.#aborted) this.#connection.onBroken();
      exchange.fail(
        this.#isRefused
          ? new RefusedStreamError()
          : (failure ?? new Error("the connection was closed")),
      );
    });
  }

  get #isRefused(): boolean {
    // A stream without an id was never sent: a connection runs out of ids after 2^30 streams.
    const { rstCode, id = Number.POSITIVE_INFINITY } = this.#stream;
    return rstCode === constants.NGHTTP2_REFUSED_STREAM || id > this.#connection.lastStream;
  }
}
