import type { HttpHeaders } from "../../wire/http.js";
import { RefusedStreamError } from "../exchange/connection-errors.js";
import type { Exchange } from "../exchange/exchange.js";
import type { FlowControl } from "../exchange/flow-control.js";
import { type FieldSection, fieldSectionOf } from "./field-section.js";
import { CODE, codeName, Http2Error, MAX_WINDOW_BYTES } from "./frame.js";
import type { Field } from "./hpack/field.js";

/** The connection of a stream. */
export interface StreamConnection {
  /** Sends as much as the connection allows now. @returns the number of bytes that were sent */
  sendData(stream: number, bytes: Buffer, ends: boolean): number;
  sendReset(stream: number, code: number): void;
  sendWindowUpdate(stream: number, bytes: number): void;
  /** The stream has ended. It gets no more frames. */
  onEnd(stream: Http2Stream): void;
  /** The first response of the connection begins, or another one. */
  onResponse(): void;
  /** The stream was aborted before its response. */
  onSilentStream(stream: Http2Stream): void;
  /** The server has ended the stream early, or has violated HTTP/2 in it. */
  onBroken(): void;
}

/** Flow-control windows at the start of a stream, in bytes. */
export interface StreamWindows {
  readonly send: number;
  readonly receive: number;
}

/** One stream of an HTTP/2 connection. It carries an exchange. */
export class Http2Stream implements FlowControl {
  readonly id: number;
  readonly #exchange: Exchange;
  readonly #connection: StreamConnection;
  /** Bytes that the server accepts. Its settings can make it negative. */
  #sendWindow: number;
  /** Bytes of the request that wait for a window. */
  #unsent: Buffer | undefined;
  #endsRequest = false;
  readonly #fullReceiveWindow: number;
  /** Bytes that the server may send. */
  #receiveWindow: number;
  #isPaused = false;
  #isClosed = false;
  #hasResponse = false;
  /** The response's `content-length`. */
  #announced: number | undefined;
  #received = 0;

  constructor(
    id: number,
    exchange: Exchange,
    connection: StreamConnection,
    { send, receive }: StreamWindows,
  ) {
    this.id = id;
    this.#exchange = exchange;
    this.#connection = connection;
    this.#sendWindow = send;
    this.#fullReceiveWindow = receive;
    this.#receiveWindow = receive;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends the body of the request, if it has one. @param ends whether the request ends with it */
  send(body: Buffer | undefined, ends: boolean): void {
    this.#unsent = body;
    this.#endsRequest = ends;
    this.sendMore();
  }

  /** Sends what the windows allow. */
  sendMore(): void {
    while (this.#unsent !== undefined) {
      const allowed = this.#unsent.subarray(0, Math.max(0, this.#sendWindow));
      const ends = this.#endsRequest && allowed.length === this.#unsent.length;
      const sent = this.#connection.sendData(this.id, allowed, ends);
      if (sent === 0) return;
      this.#sendWindow -= sent;
      this.#unsent = sent < this.#unsent.length ? this.#unsent.subarray(sent) : undefined;
    }
  }

  /** The server accepts more bytes, or fewer. @throws Http2Error */
  widenSendWindow(bytes: number): void {
    this.#sendWindow += bytes;
    if (this.#sendWindow > MAX_WINDOW_BYTES) {
      throw new Http2Error(CODE.flowControlError, "the window of a stream is too large");
    }
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#reopenReceiveWindow();
  }

  /** Ends this stream only. */
  abort(reason: Error): void {
    if (this.#isClosed) return;
    if (!this.#hasResponse) this.#connection.onSilentStream(this);
    this.#connection.sendReset(this.id, CODE.cancel);
    this.fail(reason);
  }

  onFields(fields: readonly Field[], ends: boolean): void {
    const section = fieldSectionOf(fields);
    if (section === undefined) this.#refuse("a header field is invalid");
    else if (this.#hasResponse) this.#onTrailers(section, ends);
    else this.#onHead(section, ends);
  }

  #onHead({ status, headers }: FieldSection, ends: boolean): void {
    const announced = contentLength(headers);
    if (status === undefined) this.#refuse("a response has no status");
    else if (Number.isNaN(announced)) this.#refuse("the content-length is invalid");
    else if (status >= 200) {
      this.#announced = announced;
      this.#hasResponse = true;
      this.#connection.onResponse();
      this.#exchange.onHead(this, status, headers);
      if (ends) this.#endResponse();
    } else if (ends) this.#refuse("the response has only a status 1xx");
  }

  #onTrailers({ status, headers }: FieldSection, ends: boolean): void {
    if (status !== undefined || !ends) {
      this.#refuse("the trailers are invalid");
      return;
    }
    this.#exchange.onTrailers(headers);
    this.#endResponse();
  }

  /** @param size of the payload with its padding, in bytes. @throws Http2Error */
  onData(data: Buffer, size: number, ends: boolean): void {
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) {
      throw new Http2Error(CODE.flowControlError, "a stream sends more than its window allows");
    }
    if (!this.#hasResponse) {
      this.#refuse("a body begins before the response");
      return;
    }
    this.#received += data.length;
    if (data.length > 0) this.#exchange.onData(data);
    if (ends) this.#endResponse();
    else if (!this.#isPaused) this.#reopenReceiveWindow();
  }

  #endResponse(): void {
    // The exchange may have aborted the stream when it got the response.
    if (this.#isClosed) return;
    if (this.#announced !== undefined && this.#announced !== this.#received) {
      this.#refuse("the body does not have its content-length");
      return;
    }
    // The request of a watch stays open.
    if (this.#unsent !== undefined || !this.#endsRequest)
      this.#connection.sendReset(this.id, CODE.cancel);
    this.#close();
    this.#exchange.end();
  }

  onReset(code: number): void {
    this.#break(
      code === CODE.refusedStream
        ? new RefusedStreamError()
        : new Error(`the endpoint ended the HTTP/2 stream early (${codeName(code)})`),
    );
  }

  /** The exchange fails, and the stream gets no more frames. */
  fail(error: Error): void {
    if (this.#isClosed) return;
    this.#close();
    this.#exchange.fail(error);
  }

  #refuse(problem: string): void {
    this.#connection.sendReset(this.id, CODE.protocolError);
    this.#break(new Http2Error(CODE.protocolError, problem));
  }

  #break(error: Error): void {
    this.#connection.onBroken();
    this.fail(error);
  }

  #close(): void {
    this.#isClosed = true;
    this.#unsent = undefined;
    this.#connection.onEnd(this);
  }

  #reopenReceiveWindow(): void {
    const missing = this.#fullReceiveWindow - this.#receiveWindow;
    if (this.#isClosed || missing < this.#fullReceiveWindow / 2) return;
    this.#connection.sendWindowUpdate(this.id, missing);
    this.#receiveWindow = this.#fullReceiveWindow;
  }
}

/** `undefined` without one, NaN if it is invalid. */
function contentLength({ "content-length": length }: HttpHeaders): number | undefined {
  if (length === undefined) return undefined;
  return typeof length === "string" && /^\d+$/.test(length) ? Number(length) : Number.NaN;
}
