/** Forwards HTTP/2 to etcd, frame by frame, and replaces or changes responses. */

import { connect, type Socket } from "node:net";
import { framed } from "../../src/wire/grpc.js";
import { frame } from "../support/http2-frame.js";
import { type Answer, deliver } from "./delivery.js";
import { FRAME } from "./http2-lies.js";
import type { Random } from "./random.js";

/** What is done to the response on one stream. */
export type StreamLie =
  /** The response of etcd is dropped. */
  | { readonly kind: "replace"; readonly answer: Answer; readonly random: Random }
  /** Each message of the response is changed. */
  | { readonly kind: "change"; readonly change: (message: Buffer) => Buffer }
  /** Bytes are sent before the response. */
  | { readonly kind: "insert"; readonly bytes: Buffer };

const HEADER_TABLE_SIZE = 1;
const MAX_FRAME_BYTES = 16_384;

/** Splits bytes into HTTP/2 frames. */
export class FrameReader {
  #received: Buffer = Buffer.alloc(0);

  /** @returns the complete frames */
  push(bytes: Buffer): Buffer[] {
    this.#received = Buffer.concat([this.#received, bytes]);
    const frames: Buffer[] = [];
    for (;;) {
      const received = this.#received;
      const length = received.length < 9 ? Number.POSITIVE_INFINITY : 9 + received.readUIntBE(0, 3);
      if (received.length < length) return frames;
      frames.push(received.subarray(0, length));
      this.#received = received.subarray(length);
    }
  }
}

/**
 * Forwards a connection to etcd. `first` are the bytes received so far. `lieOn` is asked once for each
 * stream, when its response begins.
 */
export function relayHttp2(
  socket: Socket,
  etcd: URL,
  first: Buffer,
  lieOn: (stream: number) => StreamLie | undefined,
): void {
  const upstream = connect(Number(etcd.port), etcd.hostname);
  const preface = first.subarray(0, 24);
  upstream.write(preface);
  const requests = new FrameReader();
  const forward = (bytes: Buffer) => {
    for (const each of requests.push(bytes)) upstream.write(withoutCompression(each));
  };
  forward(first.subarray(preface.length));
  socket.on("data", forward);
  const responses = new FrameReader();
  const streams = new Map<number, StreamResponse>();
  upstream.on("data", (bytes: Buffer) => {
    for (const each of responses.push(bytes)) {
      const stream = each.readUInt32BE(5);
      if (stream === 0) {
        if (!socket.destroyed) socket.write(each);
        continue;
      }
      const response = streams.get(stream) ?? new StreamResponse(socket, stream, lieOn(stream));
      streams.set(stream, response);
      response.take(each);
    }
  });
  upstream.on("error", () => socket.destroy()).on("close", () => socket.destroy());
  socket.on("close", () => upstream.destroy());
}

/**
 * Tells etcd not to use the dynamic table of HPACK. So the client can decode each block of headers even if
 * others were dropped.
 */
function withoutCompression(whole: Buffer): Buffer {
  const [type, flags] = [whole[3], whole[4]];
  if (type !== FRAME.settings || flags !== 0) return whole;
  const setting = Buffer.from([0, HEADER_TABLE_SIZE, 0, 0, 0, 0]);
  return frame(FRAME.settings, 0, 0, Buffer.concat([whole.subarray(9), setting]));
}

/** The response on one stream. */
class StreamResponse {
  readonly #socket: Socket;
  readonly #stream: number;
  readonly #lie: StreamLie | undefined;
  #message: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, stream: number, lie: StreamLie | undefined) {
    this.#socket = socket;
    this.#stream = stream;
    this.#lie = lie;
    if (lie?.kind === "replace") void deliver(lie.random, socket, lie.answer);
    if (lie?.kind === "insert") socket.write(lie.bytes);
  }

  /** Takes a frame of etcd. */
  take(whole: Buffer): void {
    const lie = this.#lie;
    if (this.#socket.destroyed || lie?.kind === "replace") return;
    if (lie?.kind === "change" && whole[3] === FRAME.data) this.#change(whole, lie.change);
    else this.#socket.write(whole);
  }

  #change(whole: Buffer, change: (message: Buffer) => Buffer): void {
    this.#message = Buffer.concat([this.#message, whole.subarray(9)]);
    const length =
      this.#message.length < 5 ? Number.POSITIVE_INFINITY : 5 + this.#message.readUInt32BE(1);
    if (this.#message.length < length) return;
    const changed = framed(change(this.#message.subarray(5, length)));
    this.#message = this.#message.subarray(length);
    for (let at = 0; at < changed.length; at += MAX_FRAME_BYTES) {
      const payload = changed.subarray(at, at + MAX_FRAME_BYTES);
      this.#socket.write(frame(FRAME.data, 0, this.#stream, payload));
    }
  }
}
