import { describe, expect, it } from "vitest";
import { KeyNotFoundError } from "../../errors/common-errors.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import type { KeyRequest } from "../../model/key-request.js";
import { systemClock } from "../../time/clock.js";
import { walkTree } from "./walk-tree.js";

async function treeOf(...keys: readonly string[]): Promise<MemoryKeySpace> {
  const keySpace = new MemoryKeySpace({ historySize: 10, clock: systemClock });
  for (const key of keys) {
    const dir = key.endsWith("/");
    await keySpace.execute(
      dir
        ? { action: "create", key: key.slice(0, -1), dir }
        : { action: "create", key, value: `of ${key}` },
    );
  }
  return keySpace;
}

async function keysOf(keySpace: Parameters<typeof walkTree>[0], key: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const entry of walkTree(keySpace, key)) keys.push(entry.key + (entry.dir ? "/" : ""));
  return keys;
}

describe("walkTree", () => {
  it("yields each directory before its content, in byte order", async () => {
    const tree = await treeOf("/b/y/1", "/b/x", "/a/2", "/a/10", "/c/", "/😀", "/\uff5e");
    expect(await keysOf(tree, "/")).toEqual([
      ...["/a/", "/b/", "/c/", "/\uff5e", "/😀"],
      ...["/a/10", "/a/2", "/b/x", "/b/y/", "/b/y/1"],
    ]);
  });

  it("begins with the top, which may be a file", async () => {
    const tree = await treeOf("/a/b");
    expect(await keysOf(tree, "/a")).toEqual(["/a/", "/a/b"]);
    expect(await keysOf(tree, "/a/b")).toEqual(["/a/b"]);
    await expect(keysOf(tree, "/none")).rejects.toThrow(KeyNotFoundError);
  });

  it("skips directories that are removed, or become files, before they are read", async () => {
    const tree = await treeOf("/a/1", "/b/1", "/c/1");
    const asked: string[] = [];
    const changing = {
      execute: async (request: KeyRequest): Promise<never> => {
        asked.push(request.key);
        if (request.key === "/a") {
          await tree.execute({ action: "delete", key: "/b", recursive: true });
          await tree.execute({ action: "delete", key: "/c", recursive: true });
          await tree.execute({ action: "set", key: "/c", value: "" });
        }
        return (await tree.execute(request)) as never;
      },
    };
    expect(await keysOf(changing, "/")).toEqual(["/a/", "/b/", "/c/", "/a/1"]);
    expect(asked).toEqual(["/", "/a", "/b", "/c"]);
  });

  it("yields the remaining TTL, at least a second", async () => {
    const tree = await treeOf();
    await tree.execute({ action: "set", key: "/a", value: "", ttl: 100 });
    await tree.execute({ action: "set", key: "/b", value: "", ttl: 0 });
    const entries = [];
    for await (const entry of walkTree(tree, "/")) entries.push(entry);
    expect(entries.find(({ key }) => key === "/a")?.ttl).toBe(100);
    for (const { key, ttl } of entries) if (key === "/b") expect(ttl).toBe(1);
  });
});
