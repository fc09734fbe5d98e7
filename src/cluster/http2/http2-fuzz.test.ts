import { expect, test } from "vitest";
import { frame } from "../../../test/support/http2-frame.js";
import {
  data,
  GRPC_OK,
  goaway,
  Http2Peer,
  headers,
  literal,
  OK,
  type RecordedExchange,
  reset,
  settings,
  trailers,
  turn,
  uint32,
  windowUpdate,
} from "../../../test/support/http2-peer.js";
import { randomFrom } from "../../../test/support/random-from.js";
import { SEED } from "../../../test/support/seed.js";
import { CODE, FLAG, FRAME, SETTING } from "./frame.js";

const CONVERSATIONS = 150;
const STEPS = 20;
const STREAMS = 4;

type Below = (limit: number) => number;

/** A frame that a server can send, most often one that it may send. */
function frameFrom(below: Below): Buffer {
  const stream = 1 + 2 * below(STREAMS);
  const code = below(14);
  const ends = below(3) === 0 ? FLAG.endStream : 0;
  const block = [GRPC_OK, OK, literal(":status", "103"), literal("a", "b"), Buffer.from([0xbe])];
  const likely = [
    () => headers(stream, block[below(5)] ?? OK, FLAG.endHeaders | ends),
    () => headers(stream, GRPC_OK),
    () => data(stream, Buffer.alloc(below(300), "d"), ends),
    () => data(stream, "more"),
    () => trailers(stream),
    () => windowUpdate(below(2) === 0 ? 0 : stream, 1 + below(5_000)),
    () => settings([SETTING.initialWindowSize, below(2_000)]),
    () => settings([SETTING.headerTableSize, below(5_000)]),
    () => frame(FRAME.ping, below(2), 0, Buffer.alloc(8)),
  ];
  const unlikely = [
    () => reset(stream, code),
    () => goaway(below(2) === 0 ? 2 ** 31 - 1 : stream, below(2) === 0 ? 0 : code),
    () => settings([SETTING.maxConcurrentStreams, below(5)]),
    () => headers(stream, OK, 0),
    () => frame(below(12), below(256), below(9), Buffer.alloc(below(20), below(256))),
    () => frame(FRAME.windowUpdate, 0, stream, uint32(2 ** 31 - 1)),
  ];
  const frames = below(12) === 0 ? unlikely : likely;
  return frames[below(frames.length)]?.() ?? Buffer.alloc(0);
}

const isDone = ({ events }: RecordedExchange): boolean =>
  events.some((event) => /^(end|fail)/.test(event));

/** What must be true of a connection after each step. */
function check(peer: Http2Peer, exchanges: readonly RecordedExchange[]): void {
  for (const { events } of exchanges) {
    // The last event is the end, and there is one.
    const ends = events.flatMap((event, at) => (/^(end|fail)/.test(event) ? [at] : []));
    expect(ends).toEqual(ends.length === 0 ? [] : [events.length - 1]);
  }
  expect(peer.keepsProcess).toBe(exchanges.some((each) => !isDone(each)));
  expect(peer.closes).toBeLessThanOrEqual(1);
  for (const [at] of exchanges.entries()) {
    const stream = 2 * at + 1;
    const frames = peer.frames.filter((each) => each.stream === stream);
    const types = frames.map(({ type }) => type);
    // Head first, then the body, then perhaps a reset. Nothing follows a reset.
    expect(types[0] ?? FRAME.headers).toBe(FRAME.headers);
    expect(types.slice(0, -1)).not.toContain(FRAME.reset);
    const end = frames.findIndex(({ type, flags }) => type <= 1 && (flags & FLAG.endStream) > 0);
    if (end >= 0) expect(types.slice(end + 1)).not.toContain(FRAME.data);
  }
}

test("whatever a server sends, each exchange ends once, and as sent unless the server refused it", async () => {
  const random = randomFrom(SEED);
  const below: Below = (limit) => Math.floor(random() * limit);
  const seen = new Set<string>();
  for (let conversation = 0; conversation < CONVERSATIONS; conversation++) {
    const peer = await Http2Peer.ready({ carries: below(2) === 0 ? "calls" : "watches" });
    const exchanges = Array.from({ length: STREAMS }, () =>
      peer.start({ isWatch: below(3) === 0, body: Buffer.alloc(1 + below(70_000)) }),
    );
    const sent: Buffer[] = [];
    for (let step = 0; step < STEPS; step++) {
      if (below(15) === 0) exchanges[below(STREAMS)]?.abort("enough");
      const next = frameFrom(below);
      sent.push(next);
      const cut = below(next.length);
      if (below(3) === 0) await peer.send(next.subarray(0, cut), next.subarray(cut));
      else await peer.send(next);
      check(peer, exchanges);
    }
    await peer.end();
    peer.connection.destroy();
    await turn();
    check(peer, exchanges);
    expect([peer.closes, exchanges.every(isDone), peer.keepsProcess]).toEqual([1, true, false]);
    for (const [at, exchange] of exchanges.entries()) {
      const outcome = (await exchange.outcome).replace(/\d+/g, "0");
      seen.add(outcome);
      if (outcome.startsWith("no:")) expect(refuses(sent, 2 * at + 1)).toBe(true);
    }
  }
  // The conversations reach all ends.
  for (const end of [
    /^no: /,
    /^unknown: .*violates/,
    /^unknown: .*stream early/,
    /^0 stream/,
    /^0 d/,
    /^Abort/,
  ]) {
    expect([...seen].filter((outcome) => end.test(outcome))).not.toEqual([]);
  }
});

/** Whether the frames say that the server has not processed a stream. */
function refuses(frames: readonly Buffer[], stream: number): boolean {
  return frames.some((bytes) => {
    const [type, id] = [bytes.readUInt8(3), bytes.readUInt32BE(5) & 0x7fffffff];
    if (type === FRAME.reset) return id === stream && bytes.readUInt32BE(9) === CODE.refusedStream;
    return type === FRAME.goaway && (bytes.readUInt32BE(9) & 0x7fffffff) < stream;
  });
}
