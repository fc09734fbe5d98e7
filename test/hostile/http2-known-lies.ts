/** Lies in frames of HTTP/2 and gRPC that are known to be dangerous. */

import { framed } from "../../src/wire/grpc.js";
import { frame } from "../support/http2-frame.js";
import type { Answer } from "./delivery.js";
import { GRPC_ERRORS } from "./error-bodies.js";
import { END_HEADERS, END_STREAM, FRAME, fieldsOf } from "./http2-lies.js";
import { varint } from "./protobuf-lies.js";
import { V3_MESSAGES } from "./v3-messages.js";

type Http2Lie = (stream: number) => Answer;

const GRPC = { ":status": "200", "content-type": "application/grpc" };
const HEADER_MESSAGE = Buffer.from("0a080801100118052002", "hex");
const ORIGIN = 0xc;
const ALTSVC = 0xa;

const head = (stream: number, fields: Record<string, string> = GRPC) =>
  frame(FRAME.headers, END_HEADERS, stream, fieldsOf(fields));
const data = (stream: number, body: Buffer) => frame(FRAME.data, 0, stream, body);
const trailers = (stream: number, fields: Record<string, string> = { "grpc-status": "0" }) =>
  frame(FRAME.headers, END_HEADERS | END_STREAM, stream, fieldsOf(fields));
const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const stay = (...frames: readonly Buffer[]): Answer => ({
  bytes: Buffer.concat(frames),
  after: "stay",
});
const repeated = (one: Buffer) => Buffer.concat(Array(Math.ceil(60_000 / one.length)).fill(one));

/** A response with a body, complete unless `end` is given. */
const body = (bytes: Buffer, end?: Buffer) => (stream: number) => {
  const parts = Array.from({ length: Math.ceil(bytes.length / 16_384) }, (_, at) =>
    data(stream, bytes.subarray(at * 16_384, (at + 1) * 16_384)),
  );
  return stay(head(stream), ...parts, end ?? trailers(stream));
};
const ends = (fields: Record<string, string>) => (stream: number) =>
  stay(head(stream), data(stream, framed(HEADER_MESSAGE)), trailers(stream, fields));
const endless =
  (first: (stream: number) => Buffer, again: (stream: number) => Buffer) =>
  (stream: number): Answer => ({
    bytes: first(stream),
    endlessly: repeated(again(stream)),
    after: "stay",
  });
const prefix = (flag: number, length: number) =>
  Buffer.concat([Buffer.from([flag]), uint32(length)]);
const setting = (id: number, value: number) => Buffer.concat([Buffer.from([0, id]), uint32(value)]);
const nothing = () => Buffer.alloc(0);

/** One large field in the dynamic table, and many references to it. */
function headerBomb(stream: number): Buffer {
  const name = Buffer.from([0x40, 1, 0x61, 0x7f, 0x81, 0x1e]);
  const field = Buffer.concat([name, Buffer.alloc(127 + 0x81 - 0x80 + 0x1e * 128, "x")]);
  const block = Buffer.concat([fieldsOf(GRPC), field, Buffer.alloc(8_000, 0xbe)]);
  return frame(FRAME.headers, END_HEADERS, stream, block);
}

/** A message in a message, and so on; the fields are those of a transaction's response. */
function nestedMessages(depth: number): Buffer {
  let message = Buffer.alloc(0);
  for (let level = 0; level < depth; level++) {
    const inner = Buffer.concat([
      Buffer.from([level % 2 === 0 ? 0x22 : 0x1a]),
      varint(BigInt(message.length)),
      message,
    ]);
    message = inner;
  }
  return message;
}

export const HTTP2_LIES: Readonly<Record<string, Http2Lie>> = {
  ...Object.fromEntries(
    V3_MESSAGES.flatMap(({ name, bytes }) =>
      bytes === undefined ? [] : [[name, body(framed(bytes))]],
    ),
  ),
  ...Object.fromEntries(
    GRPC_ERRORS.map(([code, message]) => [
      `status ${code} ${message}`,
      (stream: number) =>
        stay(trailers(stream, { ...GRPC, "grpc-status": `${code}`, "grpc-message": message })),
    ]),
  ),
  "no response": () => stay(),
  "only a head": (stream) => stay(head(stream)),
  "a length of 4 GiB": body(Buffer.concat([prefix(0, 2 ** 32 - 1), HEADER_MESSAGE])),
  "a length of 4 GiB, and no end": body(prefix(0, 2 ** 32 - 1), nothing()),
  "a length without the message": body(prefix(0, 100)),
  "a compressed message": body(Buffer.concat([prefix(1, HEADER_MESSAGE.length), HEADER_MESSAGE])),
  "an unknown compression": body(
    Buffer.concat([prefix(255, HEADER_MESSAGE.length), HEADER_MESSAGE]),
  ),
  "half of a prefix": body(Buffer.from([0, 0])),
  "two messages": body(Buffer.concat([framed(HEADER_MESSAGE), framed(HEADER_MESSAGE)])),
  "a thousand empty messages": body(Buffer.alloc(5_000), nothing()),
  "no message": body(Buffer.alloc(0)),
  "an endless varint": body(framed(Buffer.alloc(1_000, 0xff))),
  "a long varint": body(framed(Buffer.from("0affffffffffffffffffffff01", "hex"))),
  "a group": body(framed(Buffer.from([0x0b, 0x0c]))),
  "the field 0": body(framed(Buffer.from([0x02, 0x01, 0x00]))),
  "a length beyond the message": body(framed(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f]))),
  "nested messages": body(framed(nestedMessages(3_000))),
  HTML: (stream) =>
    stay(
      head(stream, { ":status": "200", "content-type": "text/html" }),
      data(stream, Buffer.from("<p>")),
      trailers(stream, { a: "b" }),
    ),
  "no trailers": (stream) =>
    stay(head(stream), frame(FRAME.data, END_STREAM, stream, framed(HEADER_MESSAGE))),
  "trailers without a status": ends({ a: "b" }),
  "a status that is no number": ends({ "grpc-status": "x" }),
  "a negative status": ends({ "grpc-status": "-1" }),
  "a large status": ends({ "grpc-status": "9".repeat(40) }),
  "an odd message of the status": ends({ "grpc-status": "2", "grpc-message": "%ff%0d%0a%zz" }),
  "a long message of the status": ends({ "grpc-status": "2", "grpc-message": "x".repeat(15_000) }),
  "a bomb of headers": (stream) => stay(headerBomb(stream)),
  "headers without end": endless(
    (stream) => frame(FRAME.headers, 0, stream, fieldsOf(GRPC)),
    (stream) => frame(FRAME.continuation, 0, stream, fieldsOf({ a: "b" })),
  ),
  "empty continuations without end": endless(
    (stream) => frame(FRAME.headers, 0, stream, fieldsOf(GRPC)),
    (stream) => frame(FRAME.continuation, 0, stream),
  ),
  "informational responses without end": endless(nothing, (stream) =>
    head(stream, { ":status": "103", link: "</a>" }),
  ),
  "a body without end": endless(head, (stream) => data(stream, Buffer.alloc(1_000))),
  "a body of single bytes without end": endless(head, (stream) => data(stream, Buffer.from("x"))),
  "empty frames without end": endless(head, (stream) => data(stream, Buffer.alloc(0))),
  "pings without end": endless(nothing, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))),
  "settings without end": endless(nothing, () => frame(FRAME.settings, 0, 0, setting(3, 100))),
  "unknown frames without end": endless(nothing, () => frame(200, 0, 0, Buffer.alloc(100))),
  "priorities without end": endless(nothing, (stream) =>
    frame(FRAME.priority, 0, stream, Buffer.from([0, 0, 0, 0, 1])),
  ),
  "windows without end": endless(nothing, () => frame(FRAME.window, 0, 0, uint32(1))),
  "origins without end": endless(nothing, () =>
    frame(ORIGIN, 0, 0, Buffer.concat([Buffer.from([0, 20]), Buffer.from("https://a.example:10")])),
  ),
  "alternatives without end": endless(nothing, () =>
    frame(ALTSVC, 0, 0, Buffer.from('\0\x09https://ah2=":1"')),
  ),
  "a window that overflows": (stream) => stay(frame(FRAME.window, 0, stream, uint32(2 ** 31 - 1))),
  "a promise": (stream) =>
    stay(
      frame(
        FRAME.push,
        END_HEADERS,
        stream,
        Buffer.concat([uint32(2), fieldsOf({ ":path": "/" })]),
      ),
    ),
  ...Object.fromEntries(
    [0, 1, 7, 8, 11, 14, 2 ** 32 - 1].map((code) => [
      `reset with ${code}`,
      (stream: number) => stay(frame(FRAME.reset, 0, stream, uint32(code))),
    ]),
  ),
  "reset after the response": (stream) =>
    stay(
      head(stream),
      data(stream, framed(HEADER_MESSAGE)),
      frame(FRAME.reset, 0, stream, uint32(2)),
    ),
  ...Object.fromEntries(
    [0, 1, 2 ** 31 - 1].flatMap((last) => [
      [
        `goaway ${last}`,
        () => stay(frame(FRAME.goaway, 0, 0, Buffer.concat([uint32(last), uint32(0)]))),
      ],
      [
        `goaway ${last} and calm`,
        () => stay(frame(FRAME.goaway, 0, 0, Buffer.concat([uint32(last), uint32(11)]))),
      ],
    ]),
  ),
  ...Object.fromEntries(
    [
      [1, 0],
      [1, 2 ** 32 - 1],
      [2, 1],
      [3, 0],
      [3, 1],
      [4, 0],
      [4, 2 ** 31 - 1],
      [4, 2 ** 31],
      [5, 0],
      [5, 2 ** 24 - 1],
      [6, 0],
      [99, 1],
    ].map(([id = 0, value = 0]) => [
      `the setting ${id} with ${value}`,
      (stream: number) =>
        stay(
          frame(FRAME.settings, 0, 0, setting(id, value)),
          head(stream),
          data(stream, framed(HEADER_MESSAGE)),
          trailers(stream),
        ),
    ]),
  ),
  "HTTP/1": () => stay(Buffer.from("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")),
  "a frame that is too long": (stream) =>
    stay(head(stream), frame(FRAME.data, 0, stream, Buffer.alloc(100_000))),
  "a body on a stream that nobody opened": () => stay(frame(FRAME.data, 0, 999, Buffer.alloc(10))),
};
