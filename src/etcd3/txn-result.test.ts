import { describe, expect, it } from "vitest";
import { ProtocolError } from "../errors/cluster-errors.js";
import type { KeyValue } from "./rpcs.js";
import { read, readFirst } from "./transaction.js";
import { checkReads } from "./txn-result.js";

const kv = (key: string): KeyValue => ({
  ...{ key: Buffer.from(key), value: Buffer.of(), lease: "0" },
  ...{ create_revision: 1, mod_revision: 1, version: 1 },
});
const returned = (...keys: readonly string[]) => [{ kvs: keys.map(kv), more: false }];
const RANGE = { key: "/d/", range_end: "/d0" };

describe("the keys in the results of reads", () => {
  it("may be those that were read, or none", () => {
    for (const results of [returned("/a"), returned()]) checkReads([read("/a")], results);
    checkReads([readFirst(RANGE)], returned("/d/x"));
  });

  it("must be in order, and exist if there are more", () => {
    expect(() => checkReads([readFirst(RANGE)], returned("/d/y", "/d/x"))).toThrow(ProtocolError);
    const empty = { kvs: [], more: true };
    expect(() => checkReads([readFirst(RANGE)], [empty])).toThrow(ProtocolError);
  });

  it.each(["", "/", "/b", "/a/", "/A"])("must not be %j for the key /a", (key) => {
    expect(() => checkReads([read("/a")], returned(key))).toThrow(ProtocolError);
  });

  it.each(["", "/d", "/d0", "/e/x"])("must not be %j for a range of other keys", (key) => {
    expect(() => checkReads([readFirst(RANGE)], returned("/d/x", key))).toThrow(ProtocolError);
  });
});
