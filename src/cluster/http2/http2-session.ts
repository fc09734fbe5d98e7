import type { Socket } from "node:net";
import { ByteWriter } from "../../stream/byte-writer.js";
import { afterReads } from "../../time/event-loop.js";
import { RefusedStreamError } from "../exchange/connection-errors.js";
import type { Exchange } from "../exchange/exchange.js";
import {
  CODE,
  codeName,
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  type Frame,
  Http2Error,
  MAX_PAYLOAD_BYTES,
  MAX_STREAM_ID,
  MAX_WINDOW_BYTES,
  SETTING,
} from "./frame.js";
import { FrameReader } from "./frame-reader.js";
import { HeaderBlock } from "./header-block.js";
import { HpackDecoder } from "./hpack/hpack-decoder.js";
import { type FieldForm, HpackEncoder } from "./hpack/hpack-encoder.js";
import { HpackError } from "./hpack/hpack-error.js";
import { Http2Stream, type StreamConnection } from "./http2-stream.js";

/** The first bytes of a client. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Window of the connection: large enough that a long listing does not wait on a high-latency network. */
export const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024;
/** Of the decoded fields of a response. */
const MAX_HEADER_LIST_BYTES = 64 * 1024;
const PING_BYTES = 8;
const SETTING_BYTES = 6;
const PRIORITY_BYTES = 5;
const NOTHING = Buffer.alloc(0);
/** Answers to pings and settings that the server may leave unread. */
const MAX_UNREAD_REPLIES = 1_000;

/** Settings of one session. */
export interface Http2SessionSettings {
  /** Initial flow-control window of each stream, in bytes. */
  readonly streamWindow: number;
  /** An odd number. @default 1 */
  readonly firstStream?: number | undefined;
}

/** What a session reports. */
export interface Http2SessionEvents {
  /** The server has sent its settings, or new ones. @param maxStreams that may be open at a time */
  onSettings(maxStreams: number): void;
  /** The server accepts no more streams. */
  onGoaway(): void;
  /** A response has begun. */
  onResponse(): void;
  /** A stream was aborted before its response. */
  onSilentStream(): void;
  /** The session has ended, after its streams. */
  onClose(error: Error): void;
}

/** A field of a request, and how it is encoded. Its name is in lower case. */
export type RequestField = readonly [name: string, value: string, form: FieldForm];

/** The client's side of HTTP/2 (RFC 9113) on a socket, without server push. */
export class Http2Session implements StreamConnection {
  readonly #socket: Socket;
  readonly #streamWindow: number;
  readonly #events: Http2SessionEvents;
  readonly #reader = new FrameReader();
  readonly #decoder = new HpackDecoder(MAX_HEADER_LIST_BYTES);
  readonly #encoder = new HpackEncoder();
  readonly #out = new ByteWriter();
  readonly #streams = new Map<number, Http2Stream>();
  #nextStream: number;
  #hasSettings = false;
  /** The beginning of a header block that goes on in the next frame. */
  #block: HeaderBlock | undefined;
  #sendWindow = DEFAULT_WINDOW_BYTES;
  #receiveWindow = CONNECTION_WINDOW_BYTES;
  /** As the server has set them. */
  #initialSendWindow = DEFAULT_WINDOW_BYTES;
  #maxPayload = MAX_PAYLOAD_BYTES;
  #maxStreams = Number.POSITIVE_INFINITY;
  #isFlushing = false;
  #unreadReplies = 0;
  #onPong: (() => void) | undefined;
  /** No more streams. It closes after the last one. */
  #isClosing = false;
  #isClosed = false;

  /** @param socket is open, and nobody has read from it */
  constructor(
    socket: Socket,
    { streamWindow, firstStream = 1 }: Http2SessionSettings,
    events: Http2SessionEvents,
  ) {
    this.#socket = socket;
    this.#streamWindow = streamWindow;
    this.#nextStream = firstStream;
    this.#events = events;
    socket.on("data", (chunk) => this.#onChunk(chunk));
    socket.on("end", () => this.close());
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy(new Error("the connection was closed")));
    // A stream keeps the process alive.
    socket.unref();
    this.#begin();
  }

  /** Number of streams that have not ended. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Whether it accepts streams. */
  get isOpen(): boolean {
    return !this.#isClosing;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends a request. @param ends whether the request ends after its body. Without a body, it ends */
  request(
    exchange: Exchange,
    fields: readonly RequestField[],
    body: Buffer | undefined,
    ends: boolean,
  ): void {
    const windows = { send: this.#initialSendWindow, receive: this.#streamWindow };
    const stream = new Http2Stream(this.#nextStream, exchange, this, windows);
    exchange.start(stream);
    // It was aborted before.
    if (stream.isClosed) return;
    this.#nextStream += 2;
    if (this.#nextStream > MAX_STREAM_ID) this.#isClosing = true;
    if (this.#streams.size === 0) this.#socket.ref();
    this.#streams.set(stream.id, stream);
    for (const [name, value, form] of fields) this.#encoder.add(name, value, form);
    const hasBody = body !== undefined && body.length > 0;
    this.#sendFields(stream.id, this.#encoder.take(), !hasBody);
    stream.send(hasBody ? body : undefined, ends || !hasBody);
  }

  /** Asks the server for a sign of life. @param onPong called with the answer, unless another ping is sent before */
  ping(onPong: () => void): void {
    this.#onPong = onPong;
    this.#send(FRAME.ping, 0, 0, Buffer.alloc(PING_BYTES));
  }

  /** Accepts no more streams, and closes the connection after the last one. */
  close(): void {
    this.#isClosing = true;
    if (this.#streams.size > 0 || this.#isClosed) return;
    this.#sendGoaway(CODE.noError);
    this.#isClosed = true;
    this.#flush();
    this.#socket.end(() => this.#socket.destroy());
    this.#events.onClose(new Error("the connection was closed"));
  }

  /** Closes the connection at once. Its streams fail. */
  destroy(error: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isClosing = true;
    for (const stream of this.#streams.values()) failSafely(stream, error);
    this.#socket.destroy();
    this.#events.onClose(error);
  }

  sendData(stream: number, bytes: Buffer, ends: boolean): number {
    const payload = bytes.subarray(0, Math.min(this.#sendWindow, this.#maxPayload));
    if (payload.length === 0) return 0;
    this.#sendWindow -= payload.length;
    const isLast = ends && payload.length === bytes.length;
    this.#send(FRAME.data, isLast ? FLAG.endStream : 0, stream, payload);
    return payload.length;
  }

  sendReset(stream: number, code: number): void {
    if (this.#streams.has(stream)) this.#sendNumber(FRAME.reset, stream, code);
  }

  sendWindowUpdate(stream: number, bytes: number): void {
    this.#sendNumber(FRAME.windowUpdate, stream, bytes);
  }

  onEnd({ id }: Http2Stream): void {
    if (!this.#streams.delete(id) || this.#streams.size > 0) return;
    this.#socket.unref();
    if (this.#isClosing) this.close();
  }

  onResponse(): void {
    this.#events.onResponse();
  }

  onSilentStream({ id }: Http2Stream): void {
    // One that was aborted before it was sent says nothing.
    if (this.#streams.has(id)) this.#events.onSilentStream();
  }

  onBroken(): void {
    this.#isClosing = true;
  }

  #begin(): void {
    const settings = [
      [SETTING.enablePush, 0],
      [SETTING.initialWindowSize, this.#streamWindow],
      [SETTING.maxHeaderListSize, MAX_HEADER_LIST_BYTES],
    ] as const;
    const payload = Buffer.alloc(settings.length * SETTING_BYTES);
    for (const [at, [id, value]] of settings.entries()) {
      payload.writeUInt16BE(id, at * SETTING_BYTES);
      payload.writeUInt32BE(value, at * SETTING_BYTES + 2);
    }
    this.#out.bytes(PREFACE);
    this.#send(FRAME.settings, 0, 0, payload);
    this.sendWindowUpdate(0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES);
  }

  /** A header block that is too long for one frame goes on in others. */
  #sendFields(stream: number, block: Buffer, ends: boolean): void {
    let rest = block;
    let type: number = FRAME.headers;
    let flags = ends ? FLAG.endStream : 0;
    while (rest.length > this.#maxPayload) {
      this.#send(type, flags, stream, rest.subarray(0, this.#maxPayload));
      rest = rest.subarray(this.#maxPayload);
      type = FRAME.continuation;
      flags = 0;
    }
    this.#send(type, flags | FLAG.endHeaders, stream, rest);
  }

  #sendNumber(type: number, stream: number, value: number): void {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(value);
    this.#send(type, 0, stream, payload);
  }

  /** Answers a frame. @throws Http2Error when the server sends such frames, but does not read */
  #reply(type: number, payload: Buffer): void {
    if (!this.#socket.writableNeedDrain) this.#unreadReplies = 0;
    else if (++this.#unreadReplies > MAX_UNREAD_REPLIES) {
      throw new Http2Error(CODE.enhanceYourCalm, "pings or settings without end");
    }
    this.#send(type, FLAG.ack, 0, payload);
  }

  #send(type: number, flags: number, stream: number, payload: Buffer): void {
    if (this.#isClosed) return;
    this.#out.uint24(payload.length);
    this.#out.uint8(type);
    this.#out.uint8(flags);
    this.#out.uint32(stream);
    this.#out.bytes(payload);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    // Requests that all sockets of this turn cause leave together.
    afterReads(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushing = false;
    if (this.#out.length > 0 && !this.#socket.destroyed) this.#socket.write(this.#out.take());
  }

  #onChunk(chunk: Buffer): void {
    if (this.#isClosed) {
      // The server goes on, although it may not even read the end.
      this.#socket.destroy();
      return;
    }
    this.#reader.push(chunk);
    try {
      while (!this.#isClosed) {
        const frame = this.#reader.next();
        if (frame === undefined) return;
        this.#onFrame(frame);
      }
    } catch (error) {
      if (error instanceof Http2Error) this.#fail(error);
      else if (error instanceof HpackError) {
        this.#fail(new Http2Error(CODE.compressionError, error.message));
      } else {
        // A fault in an exchange. What follows could be understood wrongly.
        this.destroy(error as Error);
        throw error;
      }
    }
  }

  /** Tells the server why, and closes the connection. */
  #fail(error: Http2Error): void {
    this.#sendGoaway(error.code);
    this.#flush();
    this.destroy(error);
  }

  #sendGoaway(code: number): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(code, 4);
    this.#send(FRAME.goaway, 0, 0, payload);
  }

  #onFrame(frame: Frame): void {
    const { type, stream } = frame;
    if (!this.#hasSettings && type !== FRAME.settings) {
      throw protocolError("the first frame is not SETTINGS");
    }
    if (this.#block !== undefined && (type !== FRAME.continuation || stream !== this.#block.stream))
      throw protocolError("a header block is interrupted");
    switch (type) {
      case FRAME.data:
        this.#onData(frame);
        break;
      case FRAME.headers:
        this.#onHeaders(frame);
        break;
      case FRAME.continuation:
        this.#onContinuation(frame);
        break;
      case FRAME.reset:
        this.#onReset(frame);
        break;
      case FRAME.settings:
        this.#onSettings(frame);
        break;
      case FRAME.ping:
        this.#onPing(frame);
        break;
      case FRAME.goaway:
        this.#onGoaway(frame);
        break;
      case FRAME.windowUpdate:
        this.#onWindowUpdate(frame);
        break;
      case FRAME.pushPromise:
        throw protocolError("a push, although it is not enabled");
      default:
      // It says nothing that this client uses.
    }
  }

  /** `undefined` for a stream that has ended. @throws Http2Error for one that was never opened */
  #knownStream(id: number): Http2Stream | undefined {
    if (id % 2 === 0 || id >= this.#nextStream) {
      throw protocolError("a frame for a stream that does not exist");
    }
    return this.#streams.get(id);
  }

  #onData({ stream: id, flags, payload }: Frame): void {
    const stream = this.#knownStream(id);
    this.#receiveWindow -= payload.length;
    if (this.#receiveWindow < 0) {
      throw new Http2Error(CODE.flowControlError, "the endpoint sends more than the window allows");
    }
    const missing = CONNECTION_WINDOW_BYTES - this.#receiveWindow;
    // At once, although streams are paused: they have windows of their own.
    if (missing >= CONNECTION_WINDOW_BYTES / 2) {
      this.#receiveWindow = CONNECTION_WINDOW_BYTES;
      this.sendWindowUpdate(0, missing);
    }
    const ends = (flags & FLAG.endStream) !== 0;
    const data = withoutPadding(payload, flags);
    stream?.onData(data, payload.length, ends);
  }

  #onHeaders({ stream, flags, payload }: Frame): void {
    const unpadded = withoutPadding(payload, flags);
    const hasPriority = (flags & FLAG.priority) !== 0;
    if (hasPriority && unpadded.length < PRIORITY_BYTES) throw frameSizeError();
    const fragment = hasPriority ? unpadded.subarray(PRIORITY_BYTES) : unpadded;
    const endsStream = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) !== 0) {
      this.#onBlock(stream, fragment, endsStream);
      return;
    }
    this.#block = new HeaderBlock(stream, endsStream);
    this.#block.add(fragment);
  }

  #onContinuation({ flags, payload }: Frame): void {
    const block = this.#block;
    if (block === undefined) throw protocolError("a CONTINUATION of nothing");
    block.add(payload);
    if ((flags & FLAG.endHeaders) === 0) return;
    this.#block = undefined;
    this.#onBlock(block.stream, block.bytes, block.endsStream);
  }

  #onBlock(id: number, block: Buffer, endsStream: boolean): void {
    const stream = this.#knownStream(id);
    // Also for a stream that has ended: the block can change the table.
    const fields = this.#decoder.decode(block);
    stream?.onFields(fields, endsStream);
  }

  #onReset(frame: Frame): void {
    const code = uint32Of(frame);
    this.#knownStream(frame.stream)?.onReset(code);
  }

  #onSettings({ stream, flags, payload }: Frame): void {
    if (stream !== 0) throw protocolError("SETTINGS of a stream");
    if ((flags & FLAG.ack) !== 0) {
      if (!this.#hasSettings) throw protocolError("the first frame is not SETTINGS");
      if (payload.length > 0) throw frameSizeError();
      return;
    }
    if (payload.length % SETTING_BYTES !== 0) throw frameSizeError();
    for (let at = 0; at < payload.length; at += SETTING_BYTES) {
      this.#applySetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    this.#hasSettings = true;
    this.#reply(FRAME.settings, NOTHING);
    // Only now: until the server gets the answer, it has the old window.
    this.#sendMore();
    this.#events.onSettings(this.#maxStreams);
  }

  #applySetting(id: number, value: number): void {
    switch (id) {
      case SETTING.headerTableSize:
        this.#encoder.resize(value);
        return;
      case SETTING.enablePush:
        if (value !== 0) throw protocolError("a server cannot enable push");
        return;
      case SETTING.maxConcurrentStreams:
        this.#maxStreams = value;
        return;
      case SETTING.initialWindowSize: {
        if (value > MAX_WINDOW_BYTES) {
          throw new Http2Error(CODE.flowControlError, "the window of streams is too large");
        }
        const more = value - this.#initialSendWindow;
        this.#initialSendWindow = value;
        for (const stream of this.#streams.values()) stream.widenSendWindow(more);
        return;
      }
      case SETTING.maxFrameSize:
        if (value < MAX_PAYLOAD_BYTES || value >= 2 ** 24) {
          throw protocolError("the maximum size of a frame is out of range");
        }
        this.#maxPayload = value;
    }
  }

  #onPing({ stream, flags, payload }: Frame): void {
    if (stream !== 0) throw protocolError("a PING of a stream");
    if (payload.length !== PING_BYTES) throw frameSizeError();
    if ((flags & FLAG.ack) === 0) {
      this.#reply(FRAME.ping, payload);
      return;
    }
    this.#onPong?.();
    this.#onPong = undefined;
  }

  #onGoaway({ stream, payload }: Frame): void {
    if (stream !== 0) throw protocolError("a GOAWAY of a stream");
    if (payload.length < 8) throw frameSizeError();
    const last = payload.readUInt32BE(0) & MAX_STREAM_ID;
    const code = payload.readUInt32BE(4);
    this.#isClosing = true;
    for (const each of this.#streams.values()) {
      if (each.id > last) each.fail(new RefusedStreamError());
    }
    if (code !== CODE.noError) {
      this.destroy(new Error(`the endpoint ended the HTTP/2 connection (${codeName(code)})`));
    }
    this.#events.onGoaway();
    this.close();
  }

  #onWindowUpdate(frame: Frame): void {
    const more = uint32Of(frame) & MAX_WINDOW_BYTES;
    if (frame.stream !== 0) {
      const stream = this.#knownStream(frame.stream);
      if (more === 0) throw protocolError("a window is widened by nothing");
      stream?.widenSendWindow(more);
      stream?.sendMore();
      return;
    }
    if (more === 0) throw protocolError("a window is widened by nothing");
    this.#sendWindow += more;
    if (this.#sendWindow > MAX_WINDOW_BYTES) {
      throw new Http2Error(CODE.flowControlError, "the window of the connection is too large");
    }
    this.#sendMore();
  }

  /** Sends what the windows allow now. */
  #sendMore(): void {
    for (const stream of this.#streams.values()) stream.sendMore();
  }
}

/** A fault in one exchange must not keep the others waiting. */
function failSafely(stream: Http2Stream, error: Error): void {
  try {
    stream.fail(error);
  } catch (fault) {
    process.nextTick(() => {
      throw fault;
    });
  }
}

function protocolError(problem: string): Http2Error {
  return new Http2Error(CODE.protocolError, problem);
}

function frameSizeError(): Http2Error {
  return new Http2Error(CODE.frameSizeError, "a frame has a wrong size");
}

/** The number that is the whole payload. @throws Http2Error */
function uint32Of({ payload }: Frame): number {
  if (payload.length !== 4) throw frameSizeError();
  return payload.readUInt32BE(0);
}

/** @throws Http2Error */
function withoutPadding(payload: Buffer, flags: number): Buffer {
  if ((flags & FLAG.padded) === 0) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length) {
    throw protocolError("the padding is longer than its frame");
  }
  return payload.subarray(1, payload.length - padding);
}
