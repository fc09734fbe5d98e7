import { expect, test } from "vitest";
import { frame } from "../../../test/support/http2-frame.js";
import {
  data,
  Http2Peer,
  head,
  headers,
  lastData,
  OK,
  reset,
  settings,
  uint32,
  windowUpdate,
} from "../../../test/support/http2-peer.js";
import { CODE, FLAG, FRAME, SETTING } from "./frame.js";

const END = FLAG.endHeaders | FLAG.endStream;
const _BODY = Buffer.from("a body");

/** What the server sends while a write without a response is open in the streams 1 and 3. */
const VIOLATIONS: readonly (readonly [name: string, sent: readonly Buffer[], code: number])[] = [
  [
    "a frame that is too long",
    [frame(FRAME.data, 0, 1, Buffer.alloc(16_385))],
    CODE.frameSizeError,
  ],
  ["DATA of the connection", [data(0, "x")], CODE.protocolError],
  ["DATA of a stream of a server", [data(2, "x")], CODE.protocolError],
  ["DATA of a stream that does not exist", [data(5, "x")], CODE.protocolError],
  [
    "DATA with padding as long as the frame",
    [head(1), frame(FRAME.data, FLAG.padded, 1, Buffer.from([1]))],
    CODE.protocolError,
  ],
  [
    "DATA without its padding's length",
    [head(1), frame(FRAME.data, FLAG.padded, 1)],
    CODE.protocolError,
  ],
  ["HEADERS of the connection", [headers(0, OK)], CODE.protocolError],
  ["HEADERS of a stream of a server", [headers(2, OK)], CODE.protocolError],
  ["HEADERS of a stream that does not exist", [headers(5, OK)], CODE.protocolError],
  [
    "HEADERS with too much padding",
    [headers(1, Buffer.from([9, 0x88]), END | FLAG.padded)],
    CODE.protocolError,
  ],
  [
    "HEADERS without room for their priority",
    [headers(1, OK, END | FLAG.priority)],
    CODE.frameSizeError,
  ],
  ["a block that is not HPACK", [headers(1, Buffer.from([0x80]))], CODE.compressionError],
  [
    "a block that is not HPACK in an ended stream",
    [head(1), lastData(1, ""), headers(1, Buffer.from([0x80]))],
    CODE.compressionError,
  ],
  [
    "CONTINUATION of nothing",
    [frame(FRAME.continuation, FLAG.endHeaders, 1, OK)],
    CODE.protocolError,
  ],
  [
    "CONTINUATION after the end of the block",
    [head(1), frame(FRAME.continuation, FLAG.endHeaders, 1, OK)],
    CODE.protocolError,
  ],
  [
    "CONTINUATION of another stream",
    [headers(1, OK, 0), frame(FRAME.continuation, FLAG.endHeaders, 3, OK)],
    CODE.protocolError,
  ],
  [
    "PING within a header block",
    [headers(1, OK, 0), frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    CODE.protocolError,
  ],
  [
    "an unknown frame within a header block",
    [headers(1, OK, 0), frame(99, 0, 1)],
    CODE.protocolError,
  ],
  ["HEADERS within a header block", [headers(1, OK, 0), headers(1, OK)], CODE.protocolError],
  ["RST_STREAM of the connection", [reset(0, CODE.cancel)], CODE.protocolError],
  ["RST_STREAM of a stream that does not exist", [reset(5, CODE.cancel)], CODE.protocolError],
  [
    "RST_STREAM that is too short",
    [frame(FRAME.reset, 0, 1, Buffer.alloc(3))],
    CODE.frameSizeError,
  ],
  [
    "RST_STREAM of an ended stream that is too short",
    [head(1), lastData(1, ""), frame(FRAME.reset, 0, 1)],
    CODE.frameSizeError,
  ],
  ["SETTINGS of a stream", [frame(FRAME.settings, 0, 1)], CODE.protocolError],
  [
    "SETTINGS that are cut off",
    [frame(FRAME.settings, 0, 0, Buffer.alloc(5))],
    CODE.frameSizeError,
  ],
  [
    "an acknowledgment with SETTINGS",
    [frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(6))],
    CODE.frameSizeError,
  ],
  ["SETTINGS that enable push", [settings([SETTING.enablePush, 1])], CODE.protocolError],
  [
    "SETTINGS with a window that is too large",
    [settings([SETTING.initialWindowSize, 2 ** 31])],
    CODE.flowControlError,
  ],
  [
    "SETTINGS that make a window too large",
    [windowUpdate(1, 2 ** 31 - 1 - 65_535), settings([SETTING.initialWindowSize, 65_536])],
    CODE.flowControlError,
  ],
  [
    "SETTINGS with too short frames",
    [settings([SETTING.maxFrameSize, 16_383])],
    CODE.protocolError,
  ],
  [
    "SETTINGS with too long frames",
    [settings([SETTING.maxFrameSize, 2 ** 24])],
    CODE.protocolError,
  ],
  ["PUSH_PROMISE", [frame(FRAME.pushPromise, FLAG.endHeaders, 1, uint32(2))], CODE.protocolError],
  ["PING of a stream", [frame(FRAME.ping, 0, 1, Buffer.alloc(8))], CODE.protocolError],
  ["PING that is too long", [frame(FRAME.ping, 0, 0, Buffer.alloc(9))], CODE.frameSizeError],
  ["GOAWAY of a stream", [frame(FRAME.goaway, 0, 1, Buffer.alloc(8))], CODE.protocolError],
  ["GOAWAY that is too short", [frame(FRAME.goaway, 0, 0, Buffer.alloc(7))], CODE.frameSizeError],
  [
    "WINDOW_UPDATE that is too long",
    [frame(FRAME.windowUpdate, 0, 1, Buffer.alloc(5))],
    CODE.frameSizeError,
  ],
  ["WINDOW_UPDATE by nothing", [windowUpdate(0, 0)], CODE.protocolError],
  ["WINDOW_UPDATE of a stream by nothing", [windowUpdate(1, 0)], CODE.protocolError],
  ["WINDOW_UPDATE of a stream that does not exist", [windowUpdate(5, 1)], CODE.protocolError],
  ["WINDOW_UPDATE beyond the maximum", [windowUpdate(0, 2 ** 31 - 1)], CODE.flowControlError],
  [
    "WINDOW_UPDATE of a stream beyond the maximum",
    [windowUpdate(1, 2 ** 31 - 1)],
    CODE.flowControlError,
  ],
];

test.each(VIOLATIONS)("%s ends the connection", async (_name, sent, code) => {
  const peer = await Http2Peer.ready();
  const answered = peer.start({ safety: "write" });
  const open = peer.start({ safety: "write" });
  await peer.send(...sent);
  expect(peer.goaways).toEqual([code]);
  expect(await open.outcome).toMatch(/^unknown: the endpoint violates HTTP\/2 \(/);
  expect((await answered.outcome).startsWith("no")).toBe(false);
  expect(peer.socket.destroyed).toBe(true);
  expect([peer.closes, peer.keepsProcess]).toEqual([1, false]);
});
