import { expect, test } from "vitest";
import { frame } from "../../../test/support/http2-frame.js";
import {
  data,
  GRPC_OK,
  Http2Peer,
  head,
  headers,
  lastData,
  settings,
  trailers,
  turn,
  windowUpdate,
} from "../../../test/support/http2-peer.js";
import { randomFrom } from "../../../test/support/random-from.js";
import { SEED } from "../../../test/support/seed.js";
import { CODE, FLAG, FRAME, SETTING } from "./frame.js";

/** HTTP/2's initial window, and the largest frame, in bytes. */
const [WINDOW, FRAME_BYTES] = [65_535, 16_384];
const MIB = 2 ** 20;

/** Bytes whose place shows in them. */
function bodyOf(length: number, seed = 0): Buffer {
  const body = Buffer.alloc(length);
  for (let at = 0; at < length; at++) body[at] = (at + seed + (at >> 8) * 31) & 0xff;
  return body;
}

/** Whether the client has ended its half of a stream, with its last frame. */
function isEnded(peer: Http2Peer, stream: number): boolean {
  const frames = peer.frames.filter((each) => each.stream === stream && each.type <= FRAME.headers);
  const ends = frames.map(({ flags }) => (flags & FLAG.endStream) !== 0);
  expect(ends.slice(0, -1)).not.toContain(true);
  return ends.at(-1) ?? false;
}

test.each([1, 5, WINDOW - 1, WINDOW, WINDOW + 1, 100_000, MIB])(
  "a body of %i bytes arrives whole, within the windows",
  async (length) => {
    const peer = await Http2Peer.ready();
    const body = bodyOf(length);
    const exchange = peer.start({ body });
    await turn();
    expect(peer.bodyOf(1).length).toBe(Math.min(length, WINDOW));
    expect(isEnded(peer, 1)).toBe(length <= WINDOW);
    await peer.send(windowUpdate(1, MIB));
    // The connection has a window of its own.
    expect(peer.bodyOf(1).length).toBe(Math.min(length, WINDOW));
    await peer.send(windowUpdate(0, MIB));
    expect(peer.bodyOf(1).equals(body)).toBe(true);
    expect(isEnded(peer, 1)).toBe(true);
    expect(Math.max(...peer.sent(FRAME.data).map(({ payload }) => payload.length))).toBe(
      Math.min(length, FRAME_BYTES),
    );
    await peer.send(headers(1, GRPC_OK), trailers(1));
    expect(await exchange.outcome).toBe("200 ");
    expect(peer.resets(1)).toEqual([]);
  },
);

test("an empty body ends the request in its head", async () => {
  const peer = await Http2Peer.ready();
  peer.start({ body: Buffer.alloc(0) });
  await turn();
  expect(peer.sent(FRAME.data)).toEqual([]);
  expect(isEnded(peer, 1)).toBe(true);
});

test("frames are as long as the server allows", async () => {
  const peer = await Http2Peer.ready({}, [SETTING.maxFrameSize, 50_000]);
  peer.start({ body: bodyOf(WINDOW) });
  await turn();
  expect(peer.sent(FRAME.data).map(({ payload }) => payload.length)).toEqual([50_000, 15_535]);
});

test("settings that make a window negative stop the stream until the window is positive again", async () => {
  const peer = await Http2Peer.ready({}, [SETTING.initialWindowSize, 1_000]);
  const body = bodyOf(3_000);
  peer.start({ body });
  await turn();
  expect(peer.bodyOf(1).length).toBe(1_000);
  await peer.send(settings([SETTING.initialWindowSize, 0]));
  await peer.send(windowUpdate(1, 1_000));
  expect(peer.bodyOf(1).length).toBe(1_000);
  await peer.send(windowUpdate(1, 1));
  expect(peer.bodyOf(1).length).toBe(1_001);
  // A new stream has the new window.
  peer.start({ body });
  await turn();
  expect(peer.bodyOf(3).length).toBe(0);
  await peer.send(settings([SETTING.initialWindowSize, 1_999]));
  expect(peer.bodyOf(1).equals(body)).toBe(true);
  expect(peer.bodyOf(3).length).toBe(1_999);
});

test("settings are acknowledged before their window is used, for until then the server has the old one", async () => {
  const peer = await Http2Peer.ready({}, [SETTING.initialWindowSize, 0]);
  peer.start({ body: bodyOf(10) });
  await turn();
  const before = peer.frames.length;
  await peer.send(settings([SETTING.initialWindowSize, 10]));
  expect(peer.frames.slice(before).map(({ type, flags }) => [type, flags])).toEqual([
    [FRAME.settings, FLAG.ack],
    [FRAME.data, FLAG.endStream],
  ]);
});

test("a stream that the server does not read does not stop the others", async () => {
  const peer = await Http2Peer.ready({}, [SETTING.initialWindowSize, 0]);
  const body = bodyOf(500);
  const exchanges = Array.from({ length: 100 }, () => peer.start({ body }));
  await peer.send(windowUpdate(199, 500), headers(199, GRPC_OK), trailers(199));
  expect(await exchanges.at(-1)?.outcome).toBe("200 ");
  expect(peer.sent(FRAME.data).map(({ stream }) => stream)).toEqual([199]);
  await peer.send(settings([SETTING.initialWindowSize, 500]));
  for (let stream = 1; stream < 199; stream += 2) {
    expect(peer.bodyOf(stream).equals(body)).toBe(true);
  }
});

/** The windows of a server's streams, and what they still need to get. */
class Ledger {
  readonly #peer: Http2Peer;
  readonly #bodies: readonly Buffer[];
  readonly #sent: number[];
  readonly #granted: number[];
  initial = WINDOW;
  connection = WINDOW;

  constructor(peer: Http2Peer, bodies: readonly Buffer[]) {
    this.#peer = peer;
    this.#bodies = bodies;
    this.#sent = bodies.map(() => 0);
    this.#granted = bodies.map(() => 0);
  }

  grant(at: number, bytes: number): void {
    this.#granted[at] = (this.#granted[at] ?? 0) + bytes;
  }

  /** No stream exceeds a window, and none waits without need. */
  check(): void {
    const blocked = this.#bodies.map((body, at) => {
      const before = this.#sent[at] ?? 0;
      const now = this.#peer.bodyOf(2 * at + 1).length;
      const allowed = Math.max(0, this.initial + (this.#granted[at] ?? 0) - before);
      expect(now - before).toBeLessThanOrEqual(allowed);
      this.connection -= now - before;
      this.#sent[at] = now;
      return now < Math.min(body.length, before + allowed);
    });
    expect(this.connection).toBeGreaterThanOrEqual(0);
    if (this.connection > 0) expect(blocked).not.toContain(true);
  }
}

test("with any windows, 50 bodies arrive whole and in order", async () => {
  const random = randomFrom(SEED);
  const below = (limit: number): number => Math.floor(random() * limit);
  const peer = await Http2Peer.ready();
  const bodies = Array.from({ length: 50 }, (_, at) => bodyOf(1 + below(20_000), at));
  for (const body of bodies) peer.start({ body });
  const ledger = new Ledger(peer, bodies);
  await turn();
  ledger.check();
  for (let step = 0; step < 60; step++) {
    const [at, more] = [below(bodies.length), 1 + below(9_000)];
    if (step % 3 === 0) {
      ledger.initial = below(3_000);
      await peer.send(settings([SETTING.initialWindowSize, ledger.initial]));
    } else if (step % 3 === 1) {
      ledger.connection += more;
      await peer.send(windowUpdate(0, more));
    } else {
      ledger.grant(at, more);
      await peer.send(windowUpdate(2 * at + 1, more));
    }
    ledger.check();
  }
  await peer.send(windowUpdate(0, 2 * MIB), settings([SETTING.initialWindowSize, MIB]));
  for (const [at, body] of bodies.entries()) {
    expect(peer.bodyOf(2 * at + 1).equals(body)).toBe(true);
    expect(isEnded(peer, 2 * at + 1)).toBe(true);
  }
});

/** Sums of the client's window updates of a stream. */
const opened = (peer: Http2Peer, stream: number): number =>
  peer
    .sent(FRAME.windowUpdate, stream)
    .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);

test("a response of 20 MB arrives, and the windows stay open", async () => {
  const peer = await Http2Peer.ready();
  const exchange = peer.start({ safety: "read" });
  const chunk = bodyOf(FRAME_BYTES);
  await peer.send(headers(1, GRPC_OK));
  let sent = 0;
  // The whole windows each time: nothing of them may get lost.
  for (const length = 20 * 1_000_000; sent < length; ) {
    const window = Math.min(4 * MIB + opened(peer, 1), WINDOW + opened(peer, 0)) - sent;
    expect(window).toBeGreaterThan(0);
    const frames = [];
    for (let rest = Math.min(window, length - sent); rest > 0; rest -= FRAME_BYTES) {
      frames.push(data(1, chunk.subarray(0, rest)));
    }
    await peer.send(...frames);
    sent += Math.min(window, length - sent);
  }
  await peer.send(trailers(1));
  const response = await exchange.response;
  const body = "grpcBody" in response ? response.grpcBody : undefined;
  expect(body?.length).toBe(20_000_000);
  expect(body?.subarray(0, FRAME_BYTES).equals(chunk)).toBe(true);
});

test("padding counts to the windows", async () => {
  const peer = await Http2Peer.ready();
  const exchange = peer.start({ safety: "read" });
  await peer.send(head(1));
  const padded = Buffer.concat([Buffer.from([255]), Buffer.from("x"), Buffer.alloc(255)]);
  for (let at = 0; at < 10_000; at++) await peer.send(frame(FRAME.data, FLAG.padded, 1, padded));
  const bytes = 10_000 * padded.length;
  expect(opened(peer, 1)).toBeGreaterThan(bytes - 2 * MIB);
  expect(opened(peer, 0)).toBeGreaterThan(bytes - 2 * MIB);
  await peer.send(lastData(1, "end"));
  expect(await exchange.outcome).toBe(`200 ${"x".repeat(10_000)}end`);
});

test("a paused watch lets the server send one window, and others go on", async () => {
  const peer = await Http2Peer.ready({ carries: "watches" });
  const watch = peer.start({ isWatch: true, body: Buffer.alloc(5), safety: "read" });
  const other = peer.start({ safety: "read" });
  const message = Buffer.concat([Buffer.from([0, 0, 0, 0x3f, 0xfb]), bodyOf(FRAME_BYTES - 5)]);
  // The last byte of the window is missing.
  const rest = message.subarray(0, -1);
  await peer.send(
    headers(1, GRPC_OK),
    ...[message, message, message, rest].map((each) => data(1, each)),
  );
  expect(opened(peer, 1)).toBe(32_768);
  await peer.send(...[message, message].map((each) => data(1, each)));
  expect(opened(peer, 1)).toBe(32_768);
  await peer.send(head(3), lastData(3, "other"));
  expect(await other.outcome).toBe("200 other");
  const response = await watch.response;
  if (!("parts" in response)) throw new Error("not a stream");
  for (let at = 0; at < 3; at++) {
    const { value } = await response.parts.next();
    expect(value?.length).toBe(FRAME_BYTES - 5);
  }
  await turn();
  expect(opened(peer, 1)).toBe(6 * FRAME_BYTES - 1);
});

test.each([
  ["of a stream", "watches", [1, 1, 1, 1]],
  // The client opens the connection's window at once, so many streams must send before it can.
  ["of a stream of a call", "calls", Array(257).fill(1)],
] as const)("more than the window %s ends the connection", async (_name, carries, streams) => {
  const peer = await Http2Peer.ready({ carries });
  const exchange = peer.start({ isWatch: true, body: Buffer.alloc(5), safety: "write" });
  await peer.send(headers(1, GRPC_OK));
  exchange.flow?.pause();
  await peer.send(...streams.map((stream) => data(stream, bodyOf(FRAME_BYTES))));
  expect(peer.goaways).toEqual([CODE.flowControlError]);
  expect(exchange.events.at(-1)).toMatch(/^fail .*FLOW_CONTROL_ERROR/);
});
