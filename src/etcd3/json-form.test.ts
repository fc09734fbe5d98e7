import { expect, it } from "vitest";
import { ProtocolError } from "../errors/cluster-errors.js";
import { fromJson, toJson } from "./json-form.js";
import { RPC } from "./rpcs.js";

it("bytes are base64 in JSON only, as deep as they are in the message", () => {
  const request = {
    compare: [{ key: "/ä", target: "MOD", mod_revision: 7 }],
    success: [{ request_put: { key: Buffer.from([0xff]), value: "1", ignore_lease: true } }],
    failure: [],
  } as const;
  expect(toJson(RPC.txn.request, request)).toEqual({
    compare: [{ key: "L8Ok", target: "MOD", mod_revision: 7 }],
    success: [{ request_put: { key: "/w==", value: "MQ==", ignore_lease: true } }],
    failure: [],
  });
  const json = { kvs: [{ key: "/w==", mod_revision: "7", lease: "16504720792129360688" }] };
  const { kvs, more } = fromJson(RPC.range.response, json);
  expect(kvs).toEqual([
    {
      key: Buffer.from([0xff]),
      value: Buffer.alloc(0),
      create_revision: 0,
      mod_revision: 7,
      version: 0,
      lease: "16504720792129360688",
    },
  ]);
  expect(more).toBe(false);
});

it("numbers that are too large are refused, never rounded", () => {
  const ttlOf = (TTL: unknown): number => fromJson(RPC.leaseTimeToLive.response, { TTL }).TTL;
  expect(ttlOf("9007199254740991")).toBe(2 ** 53 - 1);
  expect(ttlOf("-1")).toBe(-1);
  expect(ttlOf(undefined)).toBe(0);
  expect(() => ttlOf("9007199254740992")).toThrow(/TTL .* 2\^53 - 1/);
});

it("a revision is never negative, and leaves room for an index offset", () => {
  const revisionOf = (revision: unknown): number | undefined =>
    fromJson(RPC.put.response, { header: { revision } }).header?.revision;
  expect(revisionOf("4503599627370495")).toBe(2 ** 52 - 1);
  expect(() => revisionOf("4503599627370496")).toThrow(/revision .* 2\^52 - 1/);
  expect(() => revisionOf("-1")).toThrow(/revision/);
  expect(revisionOf(undefined)).toBe(0);
});

it.each(["true", '""', '"x"', '"0x10"', '"1e3"', '" 1"', "[5]", "[]", "{}", '{"toString":1}'])(
  "%s is not a number",
  (json) => {
    const value: unknown = JSON.parse(json);
    const response = { header: { revision: value } };
    expect(() => fromJson(RPC.put.response, response)).toThrow(ProtocolError);
    expect(() => fromJson(RPC.leaseTimeToLive.response, { TTL: value })).toThrow(ProtocolError);
  },
);

it.each([
  ["an id that is no number", { header: { cluster_id: "\u{fffd}" } }],
  ["a list that is none", { events: {} }],
  ["a message that is none", { events: [1] }],
  ["an unknown name of an enum", { events: [{ type: "MOVE" }] }],
  ["text that is a number", { cancel_reason: 1 }],
  ["a flag that is text", { created: "true" }],
  ["bytes that are a list", { events: [{ kv: { key: [1] } }] }],
])("%s is refused", (_what, json) => {
  expect(() => fromJson(RPC.watch.response, json)).toThrow(ProtocolError);
});

it("unknown fields, and those that are null, are as if they were absent", () => {
  const json = { created: null, watch_id: "7", header: { revision: "3", unknown: [] } };
  expect(fromJson(RPC.watch.response, json)).toEqual(
    fromJson(RPC.watch.response, { header: { revision: "3" } }),
  );
});

it("a message that nests without end is refused", () => {
  let json: object = { succeeded: true };
  for (let level = 0; level < 15_000; level++) json = { responses: [{ response_txn: json }] };
  expect(() => fromJson(RPC.txn.response, { ...json })).toThrow(/nested messages/);
});

it("a request with a field that the message does not have is not sent", () => {
  // @ts-expect-error It does not compile either.
  expect(() => toJson(RPC.range.request, { kye: "/a" })).toThrow("the message has no field kye");
});
