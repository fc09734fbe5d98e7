/** The server's side of an HTTP/2 connection of the client, frame by frame and in memory. */

import type { Socket } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { Exchange } from "../../src/cluster/exchange/exchange.js";
import type { FlowControl } from "../../src/cluster/exchange/flow-control.js";
import { FLAG, FRAME, type Frame, SETTING } from "../../src/cluster/http2/frame.js";
import { Http2Connection } from "../../src/cluster/http2/http2-connection.js";
import { AttemptFailure } from "../../src/wire/attempt-failure.js";
import type { HttpHeaders, HttpRequest, HttpResponse } from "../../src/wire/http.js";
import { frame } from "./http2-frame.js";
import { SimulatedClock } from "./simulated-clock.js";

const ORIGIN = new URL("http://peer:2379");
const PREFACE_BYTES = 24;
const HEAD_BYTES = 9;
export const TIMEOUT_MS = 10_000;

/** The client has handled what was sent, and the peer has received what that caused. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, 4 * at);
  return bytes;
}

/** A field that is in no table. */
export function literal(name: string, value: string): Buffer {
  return Buffer.from(
    `\x00${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`,
    "latin1",
  );
}

/** `:status: 200` of the static table. */
export const OK: Buffer = Buffer.from([0x88]);
export const GRPC_OK: Buffer = Buffer.concat([OK, literal("content-type", "application/grpc")]);
const GRPC_STATUS = literal("grpc-status", "0");

export const settings = (...values: readonly (readonly [id: number, value: number])[]): Buffer =>
  frame(
    FRAME.settings,
    0,
    0,
    Buffer.concat(
      values.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), uint32(value)])),
    ),
  );
export const headers = (stream: number, block: Buffer, flags: number = FLAG.endHeaders): Buffer =>
  frame(FRAME.headers, flags, stream, block);
export const head = (stream: number): Buffer => headers(stream, OK);
export const data = (stream: number, body: string | Buffer, flags = 0): Buffer =>
  frame(FRAME.data, flags, stream, Buffer.from(body));
export const lastData = (stream: number, body: string): Buffer =>
  data(stream, body, FLAG.endStream);
export const trailers = (stream: number, block: Buffer = GRPC_STATUS): Buffer =>
  headers(stream, block, FLAG.endHeaders | FLAG.endStream);
export const reset = (stream: number, code: number): Buffer =>
  frame(FRAME.reset, 0, stream, uint32(code));
export const goaway = (lastStream: number, code: number): Buffer =>
  frame(FRAME.goaway, 0, 0, uint32(lastStream, code));
export const windowUpdate = (stream: number, bytes: number): Buffer =>
  frame(FRAME.windowUpdate, 0, stream, uint32(bytes));

/** What a request is. */
export interface Asked {
  readonly safety?: HttpRequest["safety"];
  /** The body, as gRPC. */
  readonly body?: Buffer;
  readonly isWatch?: boolean;
  readonly signal?: AbortSignal;
  readonly maxResponseSize?: number;
}

/** An exchange that records what it is told. */
export class RecordedExchange extends Exchange {
  readonly events: string[] = [];
  /** Called after each event. */
  onEvent: (event: string, flow?: FlowControl) => void = () => {};
  flow: FlowControl | undefined;

  constructor(clock: SimulatedClock, { safety = "write", body, isWatch = false, ...more }: Asked) {
    const { signal, maxResponseSize = 2 ** 26 } = more;
    const request: HttpRequest = {
      method: "POST",
      path: "/",
      safety,
      scope: "local",
      operation: "CALL",
      isWatch,
      ...(body && { grpc: { path: "/call", body, json: "" } }),
    };
    super(
      {
        request,
        endpoint: ORIGIN.origin,
        limits: { timeout: TIMEOUT_MS, ...(signal && { signal }) },
        streams: isWatch,
        hops: 0,
        startedAt: 0,
      },
      { maxResponseSize, clock },
    );
    this.response.catch(() => {});
  }

  /** The response, or what is known of the request. */
  get outcome(): Promise<string> {
    return this.response.then(
      (response) => {
        if ("parts" in response) return `${response.status} stream`;
        const { status, body, grpcBody } = response as HttpResponse;
        return `${status} ${grpcBody?.toString() ?? body}`;
      },
      (error: Error) => {
        const processed = error instanceof AttemptFailure ? error.processed : error.name;
        return `${processed}: ${error.message}`;
      },
    );
  }

  override start(flow: FlowControl): void {
    this.flow = flow;
    super.start(flow);
    this.#record("start", flow);
  }

  override onHead(flow: FlowControl, status: number, fields: HttpHeaders): void {
    const event = `head ${status} ${JSON.stringify(fields)}`;
    super.onHead(flow, status, fields);
    this.#record(event, flow);
  }

  override onTrailers(fields: HttpHeaders): void {
    const event = `trailers ${JSON.stringify(fields)}`;
    super.onTrailers(fields);
    this.#record(event);
  }

  override onData(chunk: Buffer): void {
    const event = `data ${chunk.length < 100 ? chunk.toString("latin1") : chunk.length}`;
    super.onData(chunk);
    this.#record(event);
  }

  override end(): void {
    super.end();
    this.#record("end");
  }

  override fail(error: Error): void {
    super.fail(error);
    this.#record(`fail ${error.message}`);
  }

  #record(event: string, flow?: FlowControl): void {
    this.events.push(event);
    this.onEvent(event, flow);
  }
}

/** Settings of a peer and of its client. */
interface PeerOptions {
  readonly carries?: "calls" | "watches";
  readonly firstStream?: number;
  /** Whether it reads what the client sends. */
  readonly reads?: boolean;
  readonly onPing?: () => void;
}

export class Http2Peer {
  readonly clock = new SimulatedClock();
  readonly connection: Http2Connection;
  /** What the client has sent. */
  readonly frames: Frame[] = [];
  readonly socket: Duplex;
  /** Whether the client's socket keeps the process alive. */
  keepsProcess = true;
  /** Number of reports that the connection has ended. */
  closes = 0;
  /** Called when the connection was idle for its time. */
  onIdle: () => void = () => {};
  readonly #end: Duplex;
  #received: Buffer = Buffer.alloc(0);
  #hasPreface = false;

  constructor({ carries = "calls", reads = true, firstStream, onPing }: PeerOptions = {}) {
    const [client, server] = duplexPair({ allowHalfOpen: false });
    this.socket = client;
    this.#end = server;
    const socket = Object.assign(client, {
      ref: () => {
        this.keepsProcess = true;
      },
      unref: () => {
        this.keepsProcess = false;
      },
      setTimeout: () => {
        this.onIdle = () => client.emit("timeout");
      },
    }) as unknown as Socket;
    server.on("error", () => {});
    if (reads) server.on("data", (chunk: Buffer) => this.#onChunk(chunk));
    const { clock } = this;
    this.connection = new Http2Connection(
      ORIGIN,
      socket,
      {
        timeout: TIMEOUT_MS,
        clock,
        keepAlive: 1,
        carries,
        ...(firstStream !== undefined && { firstStream }),
        ...(onPing && { onPing }),
      },
      () => this.closes++,
    );
    this.connection.ready.catch(() => {});
  }

  /** A peer that has sent its settings. */
  static async ready(
    options: PeerOptions = {},
    ...values: readonly (readonly [id: number, value: number])[]
  ): Promise<Http2Peer> {
    const peer = new Http2Peer(options);
    await peer.send(settings([SETTING.maxConcurrentStreams, 1_000], ...values));
    await peer.connection.ready;
    return peer;
  }

  /** Sends frames at once, and waits until the client has handled them. */
  async send(...frames: readonly Buffer[]): Promise<void> {
    this.#end.write(Buffer.concat(frames));
    await turn();
  }

  /** Ends its half of the connection. */
  async end(): Promise<void> {
    this.#end.end();
    await turn();
  }

  /** Starts an exchange, whose stream has the next id. */
  start(asked: Asked = {}, onEvent?: RecordedExchange["onEvent"]): RecordedExchange {
    const exchange = new RecordedExchange(this.clock, asked);
    if (onEvent) exchange.onEvent = onEvent;
    if (!this.connection.start(exchange, [])) throw new Error("the connection takes no streams");
    return exchange;
  }

  /** Whether the connection takes another stream. */
  get isOpen(): boolean {
    const exchange = new RecordedExchange(this.clock, {});
    exchange.abort("only a question");
    return this.connection.start(exchange, []);
  }

  /** Frames of a type that the client has sent. */
  sent(type: number, stream?: number): Frame[] {
    return this.frames.filter(
      (each) => each.type === type && (stream === undefined || each.stream === stream),
    );
  }

  /** The codes of the client's GOAWAY frames. */
  get goaways(): number[] {
    return this.sent(FRAME.goaway).map(({ payload }) => payload.readUInt32BE(4));
  }

  /** The codes of the client's resets of a stream. */
  resets(stream: number): number[] {
    return this.sent(FRAME.reset, stream).map(({ payload }) => payload.readUInt32BE(0));
  }

  /** The request body that the client has sent in a stream. */
  bodyOf(stream: number): Buffer {
    return Buffer.concat(this.sent(FRAME.data, stream).map(({ payload }) => payload));
  }

  #onChunk(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    if (!this.#hasPreface) {
      if (this.#received.length < PREFACE_BYTES) return;
      this.#hasPreface = true;
      this.#received = this.#received.subarray(PREFACE_BYTES);
    }
    while (this.#received.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + this.#received.readUIntBE(0, 3);
      if (this.#received.length < end) return;
      this.frames.push({
        type: this.#received.readUInt8(3),
        flags: this.#received.readUInt8(4),
        stream: this.#received.readUInt32BE(5),
        payload: this.#received.subarray(HEAD_BYTES, end),
      });
      this.#received = this.#received.subarray(end);
    }
  }
}
