import { expect } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import type { AnyNode } from "../../src/model/node.js";
import { inBatches } from "../support/in-batches.js";
import type { Cases } from "./arrangement.js";

async function fill(keySpace: KeySpace, dir: string, names: readonly string[]): Promise<void> {
  await inBatches(names.length, async (index) => {
    const name = names[index] ?? "";
    await keySpace.execute({ action: "set", key: `${dir}/${name}`, value: name });
  });
}

/** The keys of a tree in its order, relative to `dir`. */
function namesIn({ nodes = [] }: AnyNode, dir: string): readonly string[] {
  return nodes.flatMap((node) => [node.key.slice(dir.length + 1), ...namesIn(node, dir)]);
}

async function list(keySpace: KeySpace, dir: string): Promise<readonly string[]> {
  return namesIn((await keySpace.execute({ action: "get", key: dir, sorted: true })).node, dir);
}

async function listAll(keySpace: KeySpace, dir: string): Promise<readonly string[]> {
  const request = { action: "get", key: dir, sorted: true, recursive: true } as const;
  return namesIn((await keySpace.execute(request)).node, dir);
}

export const listing: Cases = {
  "a read of a directory lists its direct children with all their fields": async ({
    keySpace,
    dir,
  }) => {
    const file = await keySpace.execute({ action: "set", key: `${dir}/file`, value: "1" });
    const directory = await keySpace.execute({ action: "set", key: `${dir}/dir`, dir: true });
    await keySpace.execute({ action: "set", key: `${dir}/dir/deep`, value: "2" });
    const { node } = await keySpace.execute({ action: "get", key: dir, sorted: true });
    expect(node).toMatchObject({ key: dir, dir: true });
    expect(node.nodes).toEqual([directory.node, file.node]);
  },

  "an empty directory has no nodes field": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: `${dir}/empty`, dir: true });
    for (const recursive of [false, true]) {
      const empty = await keySpace.execute({ action: "get", key: `${dir}/empty`, recursive });
      expect(empty.node).not.toHaveProperty("nodes");
      const above = await keySpace.execute({ action: "get", key: dir, recursive });
      expect(above.node.nodes?.[0]).toEqual(empty.node);
    }
  },

  "a recursive read returns the whole subtree": async ({ keySpace, dir }) => {
    await fill(keySpace, dir, ["a", "b/c", "b/d/e", "b/d/f", "g/h"]);
    expect(await list(keySpace, dir)).toEqual(["a", "b", "g"]);
    expect(await listAll(keySpace, dir)).toEqual([
      "a",
      "b",
      "b/c",
      "b/d",
      "b/d/e",
      "b/d/f",
      "g",
      "g/h",
    ]);
  },

  "a sorted read orders names by code point at every level": async ({ keySpace, dir }) => {
    // JavaScript sorts by UTF-16 units, which would place U+10000 and U+1F600 before U+FF21.
    const order = ["!", "10", "9", "B", "a", "ä", "日本", "\u{e000}", "Ａ", "\u{10000}", "😀"];
    const shuffled = [4, 9, 0, 7, 2, 10, 5, 8, 1, 6, 3].map((place) => order[place] ?? "");
    await fill(keySpace, dir, shuffled);
    await fill(keySpace, `${dir}/9999`, shuffled);
    const first = order.slice(0, 3);
    expect(await list(keySpace, dir)).toEqual([...first, "9999", ...order.slice(3)]);
    expect(await listAll(keySpace, dir)).toEqual([
      ...first,
      "9999",
      ...order.map((name) => `9999/${name}`),
      ...order.slice(3),
    ]);
  },

  "a sorted recursive read lists children directly after their directory": async ({
    keySpace,
    dir,
  }) => {
    await fill(keySpace, dir, ["a/x", "a!", "a-b", "a0", "ab", "b"]);
    expect(await listAll(keySpace, dir)).toEqual(["a", "a/x", "a!", "a-b", "a0", "ab", "b"]);
  },

  "an unsorted read returns the same children in any order": async ({ keySpace, dir }) => {
    await fill(keySpace, dir, ["c", "a", "b"]);
    const { node } = await keySpace.execute({ action: "get", key: dir });
    expect([...namesIn(node, dir)].sort()).toEqual(["a", "b", "c"]);
  },

  "a listing of 300 children is complete": async ({ keySpace, dir }) => {
    const names = Array.from(
      { length: 300 },
      (_, count) => `key-${String(count).padStart(4, "0")}`,
    );
    await fill(keySpace, dir, names);
    expect(await list(keySpace, dir)).toEqual(names);
  },

  "listings omit hidden keys and everything below them": async ({ keySpace, dir }) => {
    await fill(keySpace, dir, ["a", "_", "_hidden", "_dir/b", "c/_hidden", "c/d", "c/_dir/e"]);
    expect(await list(keySpace, dir)).toEqual(["a", "c"]);
    expect(await listAll(keySpace, dir)).toEqual(["a", "c", "c/d"]);
  },

  "a directory with only hidden children appears empty": async ({ keySpace, dir }) => {
    await fill(keySpace, dir, ["_hidden"]);
    const { node } = await keySpace.execute({ action: "get", key: dir });
    expect(node).not.toHaveProperty("nodes");
  },

  "a hidden key can be read and listed by its own name": async ({ keySpace, dir }) => {
    await fill(keySpace, dir, ["_", "_file", "_dir/a", "_dir/_b", "_dir/c/d"]);
    for (const name of ["_", "_file", "_dir/a", "_dir/_b"]) {
      const { node } = await keySpace.execute({ action: "get", key: `${dir}/${name}` });
      expect(node).toMatchObject({ key: `${dir}/${name}`, value: name });
    }
    expect(await list(keySpace, `${dir}/_dir`)).toEqual(["a", "c"]);
    expect(await listAll(keySpace, `${dir}/_dir`)).toEqual(["a", "c", "c/d"]);
  },

  "an underscore that does not begin a name does not hide the node": async ({ keySpace, dir }) => {
    await fill(keySpace, dir, ["a_", "a_b/c", "-_"]);
    expect(await listAll(keySpace, dir)).toEqual(["-_", "a_", "a_b", "a_b/c"]);
  },

  "a listing shows the TTLs of the children": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1", ttl: 1000 });
    await keySpace.execute({ action: "set", key: `${dir}/b`, value: "1" });
    const { node } = await keySpace.execute({ action: "get", key: dir, sorted: true });
    expect(node.nodes?.[0]).toMatchObject({
      ttl: expect.any(Number),
      expiration: expect.stringMatching(/T.*Z$/),
    });
    expect(node.nodes?.[1]).not.toHaveProperty("ttl");
    expect(node.nodes?.[1]).not.toHaveProperty("expiration");
  },
};
