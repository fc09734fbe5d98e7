import { expect, test } from "vitest";
import { frame } from "../../../test/support/http2-frame.js";
import {
  data,
  GRPC_OK,
  goaway,
  Http2Peer,
  head,
  headers,
  lastData,
  literal,
  OK,
  RecordedExchange,
  reset,
  settings,
  TIMEOUT_MS,
  trailers,
  turn,
  windowUpdate,
} from "../../../test/support/http2-peer.js";
import { randomFrom } from "../../../test/support/random-from.js";
import { SEED } from "../../../test/support/seed.js";
import { CODE, codeName, FLAG, FRAME, MAX_STREAM_ID, SETTING } from "./frame.js";

const REFUSED = "no: the endpoint refused the HTTP/2 stream before processing it";
const ENDED = "unknown: the connection was closed";
const OPEN = "open";
const NEVER = 2 ** 31 - 1;

/** The outcome of each exchange so far. */
const outcomes = (exchanges: readonly RecordedExchange[]): Promise<string[]> =>
  Promise.all(exchanges.map((each) => Promise.race([each.outcome, turn().then(() => OPEN)])));

interface Goaway {
  readonly name: string;
  readonly sent: readonly Buffer[];
  /** Of three writes, the first of which has a head already. */
  readonly outcomes: readonly string[];
}

const SHUTDOWN = "unknown: the endpoint ended the HTTP/2 connection (INTERNAL_ERROR)";

const GOAWAYS: readonly Goaway[] = [
  {
    name: "of no stream",
    sent: [goaway(0, 0)],
    outcomes: [REFUSED.replace("no", "unknown"), REFUSED, REFUSED],
  },
  { name: "in the middle", sent: [goaway(3, 0)], outcomes: [OPEN, OPEN, REFUSED] },
  { name: "at the last stream", sent: [goaway(5, 0)], outcomes: [OPEN, OPEN, OPEN] },
  { name: "above the streams", sent: [goaway(NEVER, 0)], outcomes: [OPEN, OPEN, OPEN] },
  {
    name: "graceful in two frames",
    sent: [goaway(NEVER, 0), goaway(1, 0)],
    outcomes: [OPEN, REFUSED, REFUSED],
  },
  {
    name: "with a reserved bit",
    sent: [frame(FRAME.goaway, 0, 0, Buffer.from("8000000300000000", "hex"))],
    outcomes: [OPEN, OPEN, REFUSED],
  },
  {
    name: "with debug data",
    sent: [frame(FRAME.goaway, 0, 0, Buffer.from("0000000500000000ff00", "hex"))],
    outcomes: [OPEN, OPEN, OPEN],
  },
  {
    name: "with an error",
    sent: [goaway(3, CODE.internalError)],
    outcomes: [SHUTDOWN, SHUTDOWN, REFUSED],
  },
  {
    name: "with an error, below the streams",
    sent: [goaway(0, CODE.internalError)],
    outcomes: [REFUSED.replace("no", "unknown"), REFUSED, REFUSED],
  },
  {
    name: "and then an error",
    sent: [goaway(5, 0), goaway(5, CODE.internalError)],
    outcomes: [SHUTDOWN, SHUTDOWN, SHUTDOWN],
  },
];

test.each(GOAWAYS)("GOAWAY $name", async ({ sent, outcomes: expected }) => {
  const peer = await Http2Peer.ready();
  const exchanges = [1, 3, 5].map(() => peer.start({ safety: "write" }));
  await peer.send(head(1), ...sent);
  expect(await outcomes(exchanges)).toEqual(expected);
  expect(peer.isOpen).toBe(false);
  const open = expected.flatMap((each, at) => (each === OPEN ? [2 * at + 1] : []));
  expect([peer.keepsProcess, peer.closes]).toEqual(open.length > 0 ? [true, 0] : [false, 1]);
  // Streams that the server has accepted still get their responses.
  for (const stream of open) {
    await peer.send(...(stream === 1 ? [] : [head(stream)]), lastData(stream, "late"));
  }
  for (const [at, outcome] of (await outcomes(exchanges)).entries()) {
    expect(outcome).toBe(expected[at] === OPEN ? "200 late" : expected[at]);
  }
  expect([peer.keepsProcess, peer.closes, peer.socket.destroyed]).toEqual([false, 1, true]);
});

test("GOAWAY closes a connection without streams", async () => {
  const peer = await Http2Peer.ready();
  await peer.send(goaway(0, 0));
  expect([peer.closes, peer.goaways, peer.socket.destroyed]).toEqual([1, [CODE.noError], true]);
});

test("the request of a call ends with its body, that of a watch stays open", async () => {
  const peer = await Http2Peer.ready({ carries: "watches" });
  const body = Buffer.alloc(5);
  const exchanges = [peer.start({ body }), peer.start({ body, isWatch: true }), peer.start()];
  await turn();
  const ends = peer.frames.filter(
    ({ flags, stream }) => stream > 0 && (flags & FLAG.endStream) > 0,
  );
  expect(ends.map(({ stream }) => stream)).toEqual([1, 5]);
  for (const stream of [1, 3, 5]) await peer.send(headers(stream, GRPC_OK), trailers(stream));
  expect(await outcomes(exchanges)).toEqual(["200 ", "200 stream", "200 "]);
  // The server learns that it is of no use any more.
  expect([1, 3, 5].map((stream) => peer.resets(stream))).toEqual([[], [CODE.cancel], []]);
});

test("GOAWAY ends a connection of watches at once", async () => {
  const peer = await Http2Peer.ready({ carries: "watches" });
  const watches = [1, 3].map(() => peer.start({ isWatch: true, body: Buffer.alloc(5) }));
  await peer.send(goaway(1, 0));
  expect(await outcomes(watches)).toEqual(["unknown: the endpoint is shutting down", REFUSED]);
  expect([peer.closes, peer.socket.destroyed]).toEqual([1, true]);
});

/** Each code, and one that no RFC knows. */
const CODES = [...Object.values(CODE), 0xfeed];

test.each(CODES)("RST_STREAM with code %i ends its stream only", async (code) => {
  const name = codeName(code);
  const early = `the endpoint ended the HTTP/2 stream early (${name})`;
  const isRefused = code === CODE.refusedStream;
  const told = isRefused ? REFUSED.slice(4) : early;
  for (const [before, processed] of [
    [[], isRefused ? "no" : "unknown"],
    [[headers(1, Buffer.from([0x08, 3, 0x31, 0x30, 0x33]))], isRefused ? "no" : "unknown"],
    [[head(1)], "unknown"],
    [[head(1), data(1, "part")], "unknown"],
  ] as const) {
    const peer = await Http2Peer.ready();
    const [broken, other] = [peer.start(), peer.start()];
    await peer.send(...before, reset(1, code));
    expect(await broken.outcome).toBe(`${processed}: ${told}`);
    // What broke one stream may break the next one.
    expect(peer.isOpen).toBe(false);
    await peer.send(reset(1, code), data(1, "late"), head(3), lastData(3, "whole"));
    expect(await other.outcome).toBe("200 whole");
    expect([peer.closes, peer.goaways]).toEqual([1, [CODE.noError]]);
  }
  const peer = await Http2Peer.ready();
  const whole = peer.start();
  await peer.send(headers(1, GRPC_OK), trailers(1), reset(1, code));
  expect(await whole.outcome).toBe("200 ");
  expect(peer.isOpen).toBe(true);
});

test("an early response resets the request that is still being sent, and counts", async () => {
  const peer = await Http2Peer.ready({}, [SETTING.initialWindowSize, 10]);
  const exchange = peer.start({ body: Buffer.alloc(20) });
  await peer.send(headers(1, GRPC_OK), trailers(1), reset(1, CODE.noError));
  expect(await exchange.outcome).toBe("200 ");
  expect(peer.resets(1)).toEqual([CODE.cancel]);
  expect(peer.isOpen).toBe(true);
});

/** What breaks a stream, not its connection. */
const BROKEN: readonly (readonly [name: string, sent: readonly Buffer[]])[] = [
  ["a body before the head", [data(1, "x")]],
  ["a head without a status", [headers(1, literal("a", "b"))]],
  ["a status that is not the first field", [headers(1, Buffer.concat([literal("a", "b"), OK]))]],
  ["two statuses", [headers(1, Buffer.concat([OK, OK]))]],
  ["a status that is no number", [headers(1, literal(":status", "2x0"))]],
  ["a status that is too short", [headers(1, literal(":status", "20"))]],
  ["another pseudo-header", [headers(1, Buffer.concat([OK, literal(":path", "/")]))]],
  ["a name in upper case", [headers(1, Buffer.concat([OK, literal("Name", "x")]))]],
  ["a name without characters", [headers(1, Buffer.concat([OK, literal("", "x")]))]],
  ["a name with a space", [headers(1, Buffer.concat([OK, literal("a b", "x")]))]],
  ["a value with a line end", [headers(1, Buffer.concat([OK, literal("a", "b\r\nc: d")]))]],
  ["a value with a zero", [headers(1, Buffer.concat([OK, literal("a", "\0")]))]],
  ["a value that begins with a space", [headers(1, Buffer.concat([OK, literal("a", " b")]))]],
  ["a value that ends with a tab", [headers(1, Buffer.concat([OK, literal("a", "b\t")]))]],
  [
    "a field of HTTP/1 connections",
    [headers(1, Buffer.concat([OK, literal("transfer-encoding", "chunked")]))],
  ],
  [
    "an end after a status 1xx",
    [headers(1, literal(":status", "103"), FLAG.endHeaders | FLAG.endStream)],
  ],
  [
    "a length that is no number",
    [headers(1, Buffer.concat([OK, literal("content-length", "-1")]))],
  ],
  [
    "two lengths",
    [
      headers(
        1,
        Buffer.concat([OK, literal("content-length", "1"), literal("content-length", "1")]),
      ),
      lastData(1, "x"),
    ],
  ],
  [
    "a body that is too short",
    [headers(1, Buffer.concat([OK, literal("content-length", "2")])), lastData(1, "x")],
  ],
  [
    "a body that is too long",
    [headers(1, Buffer.concat([OK, literal("content-length", "0")])), data(1, "x"), trailers(1)],
  ],
  ["trailers that do not end the stream", [headers(1, GRPC_OK), headers(1, literal("a", "b"))]],
  ["trailers with a status", [headers(1, GRPC_OK), trailers(1, OK)]],
  ["trailers with a wrong field", [headers(1, GRPC_OK), trailers(1, literal("A", "b"))]],
];

test.each(BROKEN)("%s breaks the stream only", async (_name, sent) => {
  const peer = await Http2Peer.ready();
  const [broken, other] = [peer.start(), peer.start()];
  await peer.send(...sent);
  expect(await broken.outcome).toMatch(
    /^unknown: the endpoint violates HTTP\/2 \(PROTOCOL_ERROR\)/,
  );
  expect(peer.resets(1)).toEqual([CODE.protocolError]);
  expect(peer.isOpen).toBe(false);
  await peer.send(data(1, "late"), head(3), lastData(3, "whole"));
  expect(await other.outcome).toBe("200 whole");
  expect([peer.closes, peer.goaways]).toEqual([1, [CODE.noError]]);
});

test("informational responses come before the response", async () => {
  const peer = await Http2Peer.ready();
  const exchange = peer.start();
  const early = headers(1, literal(":status", "103"));
  await peer.send(early, early, headers(1, GRPC_OK), data(1, "x"), trailers(1));
  expect(exchange.events).toEqual([
    "start",
    'head 200 {"content-type":"application/grpc"}',
    "data x",
    'trailers {"grpc-status":"0"}',
    "end",
  ]);
});

test("the last stream id ends the connection after its stream", async () => {
  const peer = await Http2Peer.ready({ firstStream: MAX_STREAM_ID - 2 });
  const exchanges = [peer.start(), peer.start()];
  expect(peer.isOpen).toBe(false);
  for (const stream of [MAX_STREAM_ID - 2, MAX_STREAM_ID]) {
    await peer.send(head(stream), lastData(stream, "last"));
  }
  expect(await outcomes(exchanges)).toEqual(["200 last", "200 last"]);
  expect([peer.closes, peer.goaways, peer.socket.destroyed]).toEqual([1, [CODE.noError], true]);
});

test("an exchange that was aborted before is not sent, and says nothing of the connection", async () => {
  let pings = 0;
  const peer = await Http2Peer.ready({ onPing: () => pings++ });
  expect(peer.isOpen).toBe(true);
  const exchange = peer.start();
  await turn();
  expect(peer.sent(FRAME.headers).map(({ stream }) => stream)).toEqual([1]);
  expect([pings, peer.sent(FRAME.ping).length, peer.resets(1).length]).toEqual([0, 0, 0]);
  expect([peer.isOpen, peer.keepsProcess]).toEqual([true, true]);
  await peer.send(head(1), lastData(1, "sent"));
  expect(await exchange.outcome).toBe("200 sent");
});

/** Steps of a conversation in stream 1, with the events of the exchange. */
const CONVERSATION = [headers(1, GRPC_OK), data(1, "one"), data(1, "two"), trailers(1)];

test.each(["head", "data", "trailers", "end"])(
  "an exchange can abort itself, and start others, at its %s",
  async (at) => {
    const peer = await Http2Peer.ready();
    let other: RecordedExchange | undefined;
    const exchange = peer.start({}, (event) => {
      if (other !== undefined || !event.startsWith(at)) return;
      other = peer.start();
      exchange.abort("enough");
    });
    await peer.send(...CONVERSATION);
    expect(exchange.events.filter((event) => /^(end|fail)/.test(event)).length).toBe(1);
    expect(await exchange.outcome).toMatch(at === "end" ? /^200 onetwo$/ : /^AbortError/);
    await peer.send(head(3), lastData(3, "other"));
    expect(await other?.outcome).toBe("200 other");
    expect(peer.resets(1)).toEqual(at === "end" ? [] : [CODE.cancel]);
    expect(peer.isOpen).toBe(true);
  },
);

test.each(["head", "data", "trailers", "end", "fail"])(
  "the client can be closed at the %s of an exchange",
  async (at) => {
    const peer = await Http2Peer.ready();
    const exchange = peer.start({}, (event) => event.startsWith(at) && peer.connection.destroy());
    const others = [peer.start(), peer.start()];
    await peer.send(...CONVERSATION.slice(0, at === "fail" ? 2 : 4), reset(1, CODE.cancel));
    expect(exchange.events.filter((event) => /^(end|fail)/.test(event)).length).toBe(1);
    const closed = "unknown: the client was closed";
    expect(await outcomes(others)).toEqual([closed, closed]);
    expect([peer.closes, peer.keepsProcess, peer.socket.destroyed]).toEqual([1, false, true]);
  },
);

test("an exchange that was aborted before can start another one when it ends", async () => {
  const peer = await Http2Peer.ready();
  const aborted = new RecordedExchange(peer.clock, {});
  aborted.abort("too late");
  let other: RecordedExchange | undefined;
  aborted.owner = { done: () => (other ??= peer.start()) };
  expect(peer.connection.start(aborted, [])).toBe(true);
  const next = peer.start();
  await peer.send(head(1), lastData(1, "other"), head(3), lastData(3, "next"));
  expect(await outcomes([other ?? aborted, next])).toEqual(["200 other", "200 next"]);
});

test("an exchange that throws ends the connection, and every other exchange gets to know it", async () => {
  const peer = await Http2Peer.ready();
  const thrower = (event: string): void => {
    if (/^(data|fail)/.test(event)) throw new Error("a bug");
  };
  const exchanges = [peer.start(), peer.start({}, thrower), peer.start({}, thrower), peer.start()];
  const thrown: unknown[] = [];
  const listener = (error: unknown): unknown => thrown.push(error);
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", listener);
  await peer.send(head(3), data(3, "x"), head(1), lastData(1, "late")).catch(listener);
  await turn();
  process.removeAllListeners("uncaughtException");
  for (const other of others) process.on("uncaughtException", other);
  expect(String(thrown[0])).toBe("Error: a bug");
  expect(await exchanges[0]?.outcome).toMatch(/^unknown: /);
  expect(await exchanges[3]?.outcome).toMatch(/^unknown: /);
  expect([peer.closes, peer.keepsProcess, peer.socket.destroyed]).toEqual([1, false, true]);
});

/** A connection that awaits the answer to a ping. */
async function silent(): Promise<Http2Peer> {
  const peer = await Http2Peer.ready();
  peer.start().abort("no answer");
  await turn();
  expect(peer.sent(FRAME.ping).length).toBe(1);
  return peer;
}

const PONG = frame(FRAME.ping, FLAG.ack, 0, Buffer.alloc(8));

test("an exchange without an answer makes the connection wait for a ping", async () => {
  const peer = await silent();
  expect(peer.resets(1)).toEqual([CODE.cancel]);
  expect(() => peer.start()).toThrow("takes no streams");
  await peer.send(PONG);
  const exchange = peer.start();
  peer.clock.advance(TIMEOUT_MS);
  expect(await exchange.outcome).toMatch(/^unknown: .*no response/);
  expect(peer.closes).toBe(0);
});

test("a ping without an answer ends the connection and its streams", async () => {
  const peer = await Http2Peer.ready({ carries: "watches" });
  const watch = peer.start({ isWatch: true, body: Buffer.alloc(5) });
  await peer.send(headers(1, GRPC_OK));
  peer.connection.onSilentStream();
  peer.clock.advance(TIMEOUT_MS - 1);
  expect(peer.closes).toBe(0);
  peer.clock.advance(1);
  expect(watch.events.at(-1)).toBe(`fail no response to an HTTP/2 PING within ${TIMEOUT_MS} ms`);
  expect([peer.closes, peer.clock.pending]).toEqual([1, 0]);
});

test("an answer that comes after the time of the next ping still counts", async () => {
  const peer = await silent();
  peer.clock.advance(7_000);
  peer.connection.onSilentStream();
  await turn();
  // gRPC servers count pings.
  expect(peer.sent(FRAME.ping).length).toBe(1);
  await peer.send(PONG);
  peer.clock.advance(TIMEOUT_MS);
  expect([peer.closes, peer.isOpen]).toEqual([0, true]);
});

test("a ping while the settings are awaited does not end the connection later", async () => {
  const peer = new Http2Peer({ carries: "watches" });
  peer.connection.onSilentStream();
  await peer.send(settings(), PONG);
  await peer.connection.ready;
  peer.clock.advance(TIMEOUT_MS);
  expect([peer.closes, peer.clock.pending]).toEqual([0, 0]);
});

test("a connection without settings ends in time, and is not idle before", async () => {
  const peer = new Http2Peer();
  peer.onIdle();
  await turn();
  expect(peer.closes).toBe(0);
  peer.clock.advance(TIMEOUT_MS);
  await expect(peer.connection.ready).rejects.toThrow(`no HTTP/2 SETTINGS within ${TIMEOUT_MS} ms`);
  expect([peer.closes, peer.clock.pending, peer.socket.destroyed]).toEqual([1, 0, true]);
});

test.each([
  ["of HTTP/1", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), "FRAME_SIZE_ERROR"],
  ["that are no settings", frame(FRAME.ping, 0, 0, Buffer.alloc(8)), "PROTOCOL_ERROR"],
  ["that acknowledge settings", frame(FRAME.settings, FLAG.ack, 0), "PROTOCOL_ERROR"],
])("first bytes %s are not HTTP/2", async (_name, bytes, code) => {
  const peer = new Http2Peer();
  await peer.send(bytes);
  await expect(peer.connection.ready).rejects.toThrow(`violates HTTP/2 (${code})`);
  expect([peer.closes, peer.keepsProcess, peer.clock.pending]).toEqual([1, false, 0]);
});

test("a server that ends before its settings, or takes no streams, is of no use", async () => {
  const ended = new Http2Peer();
  await ended.end();
  await expect(ended.connection.ready).rejects.toThrow("the connection was closed");
  const full = new Http2Peer();
  await full.send(settings([SETTING.maxConcurrentStreams, 0]));
  await expect(full.connection.ready).rejects.toThrow("accepts no HTTP/2 streams");
  for (const { closes, clock } of [ended, full]) expect([closes, clock.pending]).toEqual([1, 0]);
});

test.each([0, 1, 8, 9, 12])(
  "a connection that ends %i bytes into a frame fails its streams",
  async (at) => {
    const peer = await Http2Peer.ready();
    const exchanges = [peer.start(), peer.start({ safety: "read" })];
    await peer.send(head(1), data(1, "part").subarray(0, at));
    expect(await outcomes(exchanges)).toEqual([OPEN, OPEN]);
    await peer.end();
    expect(await outcomes(exchanges)).toEqual([ENDED, ENDED]);
    expect([peer.closes, peer.keepsProcess, peer.socket.destroyed]).toEqual([1, false, true]);
  },
);

test("a server that has ended its half gets no more streams, whatever it still has to read", async () => {
  const peer = await Http2Peer.ready({ reads: false });
  const exchange = peer.start({ body: Buffer.alloc(60_000) });
  await turn();
  await peer.end();
  expect([peer.isOpen, peer.socket.destroyed]).toEqual([false, false]);
  exchange.abort("enough");
  expect([peer.closes, peer.keepsProcess]).toEqual([1, false]);
});

test("an idle connection closes, even if the server does not read", async () => {
  const peer = await Http2Peer.ready({ reads: false }, [SETTING.initialWindowSize, 2 ** 20]);
  const exchange = peer.start({ body: Buffer.alloc(60_000) });
  await turn();
  peer.onIdle();
  expect(peer.closes).toBe(0);
  await peer.send(headers(1, GRPC_OK), trailers(1));
  expect(await exchange.outcome).toBe("200 ");
  peer.onIdle();
  await turn();
  // Bytes that the server does not read keep the socket open.
  expect([peer.closes, peer.keepsProcess, peer.socket.destroyed]).toEqual([1, false, false]);
  peer.onIdle();
  expect(peer.socket.destroyed).toBe(true);
});

test("what a server sends after the end is not kept", async () => {
  const peer = await Http2Peer.ready({ reads: false }, [SETTING.initialWindowSize, 2 ** 20]);
  peer.start({ body: Buffer.alloc(60_000) });
  await peer.send(reset(1, CODE.cancel));
  expect([peer.closes, peer.socket.destroyed]).toEqual([1, false]);
  await peer.send(data(1, "more"));
  expect(peer.socket.destroyed).toBe(true);
});

/** What a server can send without end. */
const FLOODS: readonly (readonly [name: string, sent: Buffer])[] = [
  ["pings", frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
  ["settings", settings()],
];

test.each(FLOODS)(
  "%s without end, which the server does not read, end the connection",
  async (_name, sent) => {
    const peer = await Http2Peer.ready({ reads: false });
    const exchange = peer.start();
    const many = Array<Buffer>(500).fill(sent);
    for (let at = 0; at < 20 && peer.closes === 0; at++) await peer.send(...many);
    expect(await exchange.outcome).toMatch(/^unknown: .*ENHANCE_YOUR_CALM/);
    expect(peer.socket.destroyed).toBe(true);
    expect(peer.socket.writableLength).toBeLessThan(100_000);
  },
);

test.each([
  ...FLOODS,
  ["empty frames", data(1, "")],
  ["resets", reset(1, CODE.cancel)],
  ["heads of an ended stream", head(1)],
  ["window updates", windowUpdate(0, 1)],
  ["window updates of a stream", windowUpdate(3, 1)],
  ["unknown frames", frame(99, 0, 0, Buffer.alloc(100))],
  ["informational heads", headers(3, literal(":status", "103"))],
] as const)("%s without end leave nothing behind for a server that reads", async (name, sent) => {
  const peer = await Http2Peer.ready();
  const exchanges = [peer.start(), peer.start()];
  await peer.send(head(1), ...(name === "empty frames" ? [] : [lastData(1, "first")]));
  const many = Array<Buffer>(1_000).fill(sent);
  for (let at = 0; at < 5; at++) await peer.send(...many);
  expect([peer.closes, peer.socket.writableLength]).toEqual([0, 0]);
  if (name === "empty frames") await peer.send(lastData(1, "first"));
  await peer.send(head(3), lastData(3, "second"));
  expect(await outcomes(exchanges)).toEqual(["200 first", "200 second"]);
});

test.each([
  ["frames", Array<Buffer>(63).fill(frame(FRAME.continuation, 0, 1))],
  ["empty frames", Array<Buffer>(2_000).fill(frame(FRAME.continuation, 0, 1))],
  ["bytes", Array<Buffer>(5).fill(frame(FRAME.continuation, 0, 1, Buffer.alloc(16_000)))],
])("a header block with too many %s ends the connection", async (name, sent) => {
  const peer = await Http2Peer.ready();
  const exchange = peer.start();
  await peer.send(headers(1, OK, 0), ...sent);
  if (name === "frames") {
    // The most that it may have.
    expect(peer.closes).toBe(0);
    await peer.send(frame(FRAME.continuation, 0, 1));
  }
  expect(peer.goaways).toEqual([CODE.enhanceYourCalm]);
  expect(await exchange.outcome).toMatch(/^unknown: .*ENHANCE_YOUR_CALM/);
});

test("the same bytes give the same events in whatever chunks they arrive", async () => {
  const bytes = Buffer.concat([
    settings([SETTING.headerTableSize, 100]),
    headers(1, GRPC_OK.subarray(0, 3), 0),
    frame(FRAME.continuation, FLAG.endHeaders, 1, GRPC_OK.subarray(3)),
    headers(3, literal(":status", "103")),
    frame(FRAME.data, FLAG.padded, 1, Buffer.from("\x02one\0\0")),
    frame(FRAME.ping, 0, 0, Buffer.from("12345678")),
    headers(
      3,
      Buffer.concat([Buffer.from([0, 0, 0, 0, 7, 0x88])]),
      FLAG.endHeaders | FLAG.priority,
    ),
    frame(99, 0xff, 7, Buffer.from("unknown")),
    // The reserved bit of an id says nothing.
    data(3 + 2 ** 31, "a"),
    data(1, ""),
    lastData(3, "b"),
    goaway(3, 0),
    trailers(1),
  ]);
  const random = randomFrom(SEED);
  const chunkings: readonly (() => number)[] = [
    () => bytes.length,
    () => 1,
    ...Array<() => number>(20).fill(() => 1 + Math.floor(random() * 40)),
  ];
  const events = [];
  for (const chunkLength of chunkings) {
    const peer = await Http2Peer.ready();
    const exchanges = [peer.start(), peer.start(), peer.start()];
    for (let at = 0; at < bytes.length; ) {
      const end = at + chunkLength();
      await peer.send(bytes.subarray(at, end));
      at = end;
    }
    const sent = peer.frames.map(({ type, flags, stream, payload }) => [
      type,
      flags,
      stream,
      payload.toString("hex"),
    ]);
    events.push({ exchanges: exchanges.map((each) => each.events), sent, closes: peer.closes });
  }
  expect(events[0]).toMatchObject({
    exchanges: [
      [
        "start",
        'head 200 {"content-type":"application/grpc"}',
        "data one",
        'trailers {"grpc-status":"0"}',
        "end",
      ],
      ["start", "head 200 {}", "data a", "data b", "end"],
      ["start", "fail the endpoint refused the HTTP/2 stream before processing it"],
    ],
    closes: 1,
  });
  for (const each of events) expect(each).toEqual(events[0]);
});
