/** Random responses over HTTP/2, as raw frames, without a true one. */

import { framed } from "../../src/wire/grpc.js";
import { ETCD_HEADERS, GOOD_SET } from "../odd-server.js";
import { frame } from "../support/http2-frame.js";
import { type Answer, damaged } from "./delivery.js";
import type { Random } from "./random.js";

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
const PADDED = 0x8;

/** Fields as literals, which name nothing of HPACK's tables. */
export function fieldsOf(fields: Readonly<Record<string, string>>): Buffer {
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    const length = bytes.length < 127 ? [bytes.length] : [127, ...extended(bytes.length - 127)];
    return Buffer.concat([Buffer.from(length), bytes]);
  };
  const literals = Object.entries(fields).map(([name, value]) =>
    Buffer.concat([Buffer.from([0]), text(name), text(value)]),
  );
  return Buffer.concat(literals);
}

function extended(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...extended(value >> 7)];
}

/** A header of a response and the marks of a watch that was created: of use for most calls. */
const MESSAGE = Buffer.from("0a080801100218052002", "hex");
const CREATED = Buffer.from("0a0808011002180520021801", "hex");

const GRPC = { ":status": "200", "content-type": "application/grpc" };

/** A response on a stream, for v2 or gRPC. */
export function answerHttp2(
  random: Random,
  hostility: number,
  stream: number,
  isGrpc: boolean,
): Answer {
  const good = wellFormed(random, stream, isGrpc);
  if (!random.chance(hostility)) return good;
  const odd = random.chance(0.75) ? malformed(random, stream, isGrpc) : good;
  return random.chance(0.35) ? damaged(random, odd) : odd;
}

function wellFormed(random: Random, stream: number, isGrpc: boolean): Answer {
  const fields = isGrpc ? GRPC : { ":status": "200", ...ETCD_HEADERS };
  const body = isGrpc ? framed(random.pick(MESSAGE, CREATED)) : Buffer.from(GOOD_SET);
  const isOver = random.chance(0.6);
  return {
    bytes: Buffer.concat([
      frame(FRAME.headers, END_HEADERS, stream, fieldsOf(fields)),
      frame(FRAME.data, 0, stream, body),
      isOver ? endOf(stream, isGrpc, "0") : Buffer.alloc(0),
    ]),
    after: "stay",
  };
}

function endOf(stream: number, isGrpc: boolean, status: string): Buffer {
  if (!isGrpc) return frame(FRAME.data, END_STREAM, stream);
  return frame(
    FRAME.headers,
    END_HEADERS | END_STREAM,
    stream,
    fieldsOf({ "grpc-status": status }),
  );
}

export function malformed(random: Random, stream: number, isGrpc: boolean): Answer {
  const head = random.chance(0.8)
    ? frame(FRAME.headers, END_HEADERS, stream, fieldsOf(oddFields(random, isGrpc)))
    : Buffer.alloc(0);
  const frames = [head];
  for (let count = random.integer(0, 3); count > 0; count--) frames.push(oddFrame(random, stream));
  if (random.chance(0.4)) frames.push(bodyOf(random, stream, isGrpc));
  if (random.chance(0.4))
    frames.push(
      endOf(stream, isGrpc, random.pick("0", "0", "1", "5", "13", "14", "16", "x", "-1", "")),
    );
  if (random.chance(0.2)) frames.push(oddFrame(random, stream));
  const endlessly = random.chance(0.1)
    ? frame(FRAME.data, 0, stream, Buffer.from("x")).subarray()
    : undefined;
  return {
    bytes: Buffer.concat(frames),
    endlessly: endlessly && Buffer.concat(Array(2_000).fill(endlessly)),
    after: random.pick<Answer["after"]>("stay", "stay", "stay", "end", "reset", "half-close"),
  };
}

function oddFields(random: Random, isGrpc: boolean): Record<string, string> {
  const fields: Record<string, string> = isGrpc
    ? { ...GRPC }
    : { ":status": "200", ...ETCD_HEADERS };
  const odd = () =>
    random.pick<Record<string, string>>(
      {},
      {
        ":status": random.pick(
          "100",
          "103",
          "204",
          "301",
          "404",
          "415",
          "426",
          "500",
          "999",
          "x",
          "",
        ),
      },
      {
        "content-type": random.pick("text/html", "application/json", "application/grpc+proto", ""),
      },
      { "grpc-status": random.pick("0", "4", "13", "14", "16", "99999999999", "x") },
      {
        "grpc-message": random.pick("%", "%ff", "etcdserver: permission denied", "x".repeat(5_000)),
      },
      { "content-length": random.pick("0", "5", "-1", "x") },
      { connection: "close" },
      { "Upper-Case": "x" },
      { "": "x" },
      { ":path": "/" },
      { "x-large": "x".repeat(random.pick(100, 10_000)) },
      Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`a${i}`, "b"])),
    );
  for (let count = random.integer(0, 2); count > 0; count--) Object.assign(fields, odd());
  return fields;
}

function bodyOf(random: Random, stream: number, isGrpc: boolean): Buffer {
  const message = random.pick(MESSAGE, CREATED, random.bytes(random.integer(0, 60)));
  const lengthOf = (length: number, flag = 0) =>
    Buffer.from([flag, ...[24, 16, 8, 0].map((bits) => (length >>> bits) & 255)]);
  const body = random.pick(
    isGrpc ? framed(message) : Buffer.from(GOOD_SET.repeat(random.pick(1, 50))),
    Buffer.concat([framed(message), framed(message)]),
    Buffer.concat([lengthOf(2 ** 32 - 1), message]),
    Buffer.concat([lengthOf(message.length + 3), message]),
    Buffer.concat([lengthOf(message.length, 1), message]),
    Buffer.alloc(5 * 1_000),
    Buffer.from("<!doctype html>"),
    Buffer.from("\n".repeat(10_000)),
  );
  if (random.chance(0.5)) return frame(FRAME.data, 0, stream, body);
  return Buffer.concat(
    Array.from(body.subarray(0, 500), (byte) => frame(FRAME.data, 0, stream, Buffer.from([byte]))),
  );
}

export function oddFrame(random: Random, stream: number): Buffer {
  const other = random.pick(0, stream, stream, stream + 2, 2, 2 ** 31 - 1);
  const code = Buffer.from([0, 0, 0, random.integer(0, 14)]);
  const uint = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  return random.pick(
    () => frame(FRAME.reset, 0, other, code),
    () => frame(FRAME.reset, 0, stream, uint(random.pick(7, 8, 0, 2 ** 32 - 1))),
    () =>
      frame(FRAME.goaway, 0, 0, Buffer.concat([uint(random.pick(0, stream, 2 ** 31 - 1)), code])),
    () => frame(FRAME.settings, 0, 0, Buffer.from([0, random.integer(0, 9), ...random.bytes(4)])),
    () => frame(FRAME.settings, 0, 0, Buffer.from([0, 3, 0, 0, 0, random.pick(0, 1, 100)])),
    () => frame(FRAME.window, 0, other, uint(random.pick(0, 1, 2 ** 31 - 1))),
    () => frame(FRAME.ping, random.pick(0, ACK), 0, Buffer.alloc(random.pick(8, 8, 7))),
    () => Buffer.concat(Array(200).fill(frame(FRAME.ping, 0, 0, Buffer.alloc(8)))),
    () =>
      frame(FRAME.push, END_HEADERS, stream, Buffer.concat([uint(2), fieldsOf({ ":path": "/" })])),
    () => frame(FRAME.continuation, END_HEADERS, other, fieldsOf({ a: "b" })),
    () =>
      frame(
        FRAME.headers,
        random.pick(0, END_HEADERS, END_HEADERS | END_STREAM),
        other,
        fieldsOf(GRPC),
      ),
    () => frame(FRAME.headers, END_HEADERS, stream, random.bytes(random.integer(0, 60))),
    () => frame(FRAME.data, PADDED, stream, Buffer.from([200, 1, 2])),
    () => frame(FRAME.data, random.pick(0, END_STREAM), other, random.bytes(random.integer(0, 40))),
    () => frame(FRAME.data, 0, stream, Buffer.alloc(random.pick(0, 16_384, 16_385, 70_000))),
    () => frame(random.integer(10, 255), random.integer(0, 255), other, random.bytes(8)),
    () => random.bytes(random.integer(1, 60)),
    () => Buffer.from("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"),
  )();
}
