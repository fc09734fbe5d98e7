import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { crc32c } from "./crc32c.js";
import { RaftSnapshotMessage, SnapshotFileMessage } from "./messages.js";
import { newestSnapshot } from "./snapshot-files.js";

const directory = mkdtempSync(join(tmpdir(), "etcdnet-snapshots-"));
afterAll(() => rmSync(directory, { recursive: true }));

const NEVER = "0001-01-01T00:00:00Z";

function node(Path: string, fields: object = {}): object {
  const file = {
    Path,
    Value: "v",
    Children: null,
    CreatedIndex: 4,
    ModifiedIndex: 5,
    ExpireTime: NEVER,
  };
  return { ...file, ...fields };
}

function storeWith(children: object): Buffer {
  return Buffer.from(JSON.stringify({ CurrentIndex: 9, Root: node("/", { Children: children }) }));
}

function fileOf(json: Buffer, index = 7): Buffer {
  const metadata = { index, term: 2, confState: { voters: ["1"] } };
  const data = RaftSnapshotMessage.encode({ data: json, metadata });
  return SnapshotFileMessage.encode({ crc: crc32c(data), data });
}

function read(content: Buffer, commit = 7) {
  writeFileSync(join(directory, "0000000000000002-0000000000000007.snap"), content);
  const warnings: string[] = [];
  const snapshot = newestSnapshot(directory, commit, (text) => warnings.push(text));
  return { snapshot, warnings };
}

const EXPIRING = node("/1/é", { ExpireTime: "2030-01-01T02:00:00.5+02:00" });
const VALID = fileOf(storeWith({ "1": node("/1", { Children: { é: EXPIRING }, Value: "" }) }));

describe("newestSnapshot", () => {
  it("reads nodes with their bytes, indexes and times", () => {
    expect(read(VALID)).toMatchObject({
      warnings: [],
      snapshot: {
        index: 7,
        term: 2,
        voters: ["1"],
        store: {
          index: 9,
          nodes: [
            ["/1", null, 4, 5, null],
            ["/1/\u00c3\u00a9", "v", 4, 5, Date.UTC(2030, 0, 1, 0, 0, 0, 500)],
          ],
        },
      },
    });
  });

  it("does not use a snapshot that is newer than the log", () => {
    const { snapshot, warnings } = read(VALID, 6);
    expect(snapshot).toBeUndefined();
    expect(warnings).toEqual([
      expect.stringContaining("newer than the log, which ends at entry 6"),
    ]);
  });

  it("does not use a snapshot with a wrong bit", () => {
    const valid = read(VALID).snapshot;
    for (let bit = 0; bit < VALID.length * 8; bit += 11) {
      const content = Buffer.from(VALID);
      content[bit >> 3] = (content[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const { snapshot, warnings } = read(content);
      if (warnings.length === 0) expect([bit, snapshot]).toEqual([bit, valid]);
      else expect(snapshot).toBeUndefined();
    }
  });

  it("does not use a snapshot that is cut", () => {
    for (let length = 0; length < VALID.length; length += 7) {
      expect(read(VALID.subarray(0, length)).warnings).toHaveLength(1);
    }
  });

  it("refuses a store that etcd cannot have written, although its checksum is right", () => {
    const stores: readonly (readonly [Buffer, RegExp])[] = [
      [Buffer.from("{"), /JSON/],
      [Buffer.from('{"CurrentIndex":-1,"Root":{}}'), /not valid at \//],
      [storeWith({ "a/b": node("/a/b") }), /not valid at \/a\/b/],
      [storeWith({ "": node("/") }), /not valid at \//],
      [storeWith({ a: node("/a", { Value: 1 }) }), /not valid at \/a/],
      [storeWith({ a: node("/a", { CreatedIndex: 1.5 }) }), /not valid at \/a/],
      [storeWith({ a: node("/a", { ExpireTime: "soon" }) }), /not valid at \/a/],
      [storeWith({ a: node("/a", { Children: 7 }) }), /not valid at \/a/],
      [storeWith({ a: node("/b") }), /not valid at \/a/],
      [storeWith({ a: 7 }), /not valid at \/a/],
    ];
    for (const [json, problem] of stores) {
      const { snapshot, warnings } = read(fileOf(json));
      expect(snapshot).toBeUndefined();
      expect(warnings).toEqual([expect.stringMatching(problem)]);
    }
  });

  it("reads a tree with 2,000 levels", () => {
    let tree = JSON.stringify(node("/a".repeat(2_000)));
    for (let level = 1_999; level >= 0; level--) {
      const above = node("/a".repeat(level), { Children: "CHILD", Value: "" });
      tree = JSON.stringify(above).replace('"CHILD"', () => `{"a":${tree}}`);
    }
    const { snapshot } = read(fileOf(Buffer.from(`{"CurrentIndex":9,"Root":${tree}}`)));
    expect(snapshot?.store.nodes).toHaveLength(2_000);
  });
});
