import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import type { AnyNode } from "../../src/model/node.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { dirNotEmpty, keyNotFound, notDir, notFile, testFailed } from "../contract/refusals.js";
import { v3KeySpaceOf } from "../contract/v3.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { V3Tool } from "./v3-tools.js";

for (const release of ["3.4", "3.6", "3.7"] as const) {
  describeWithEtcd(release, `keys of other writers on etcd ${release}`, () => {
    let etcd: EtcdCluster;
    let keySpace: KeySpace;
    let tool: V3Tool;
    let dir: string;
    beforeAll(async () => {
      etcd = await startEtcd({ release, v2: false });
      keySpace = v3KeySpaceOf(etcd.urls);
      tool = new V3Tool(etcd.urls);
    });
    afterAll(async () => {
      tool?.close();
      await keySpace?.close();
      await etcd?.stop();
    });
    beforeEach(() => {
      dir = `/${randomUUID()}`;
    });

    const get = (key: string, options = {}): Promise<EtcdResponse> =>
      keySpace.execute({ action: "get", key, sorted: true, ...options });
    const set = (key: string, value: string): Promise<EtcdResponse> =>
      keySpace.execute({ action: "set", key, value });
    const names = ({ nodes = [] }: AnyNode): readonly string[] =>
      nodes.map(({ key }) => key.slice(dir.length));

    describe("a plain put", () => {
      it("is a file with implied directories", async () => {
        await tool.put(`${dir}/a/b`, "1");
        const { node } = await get(`${dir}/a/b`);
        expect(node).toMatchObject({ key: `${dir}/a/b`, value: "1" });
        const { modifiedIndex } = node;
        const implied = { dir: true, modifiedIndex, createdIndex: modifiedIndex };
        expect((await get(dir)).node).toEqual({
          ...implied,
          key: dir,
          nodes: [{ ...implied, key: `${dir}/a` }],
        });
      });

      it("gives an implied directory the index of its first key", async () => {
        await tool.put(`${dir}/a/2`, "");
        const first = await get(`${dir}/a/2`);
        await tool.put(`${dir}/a/3`, "");
        expect((await get(`${dir}/a`)).node.createdIndex).toBe(first.node.createdIndex);
        await tool.put(`${dir}/a/1`, "");
        const earlier = await get(`${dir}/a/1`);
        expect((await get(`${dir}/a`)).node.createdIndex).toBe(earlier.node.createdIndex);
      });

      it("ends an implied directory with its last key, and no other", async () => {
        await tool.put(`${dir}/a/b`, "1");
        await tool.del(`${dir}/a/b`);
        await expect(get(`${dir}/a`)).rejects.toMatchObject(keyNotFound(dir));
        await set(`${dir}/a/b`, "1");
        await tool.del(`${dir}/a/b`);
        expect((await get(`${dir}/a`)).node).not.toHaveProperty("nodes");
      });

      it("can be swapped, updated and deleted like other files", async () => {
        await tool.put(`${dir}/a/b`, "1");
        const key = `${dir}/a/b`;
        await keySpace.execute({ action: "compareAndSwap", key, prevValue: "1", value: "2" });
        await keySpace.execute({ action: "update", key, value: "3" });
        const { prevNode } = await keySpace.execute({ action: "delete", key });
        expect(prevNode).toMatchObject({ value: "3" });
      });

      it("creates no marker: an implied directory behaves like others", async () => {
        await tool.put(`${dir}/a/b`, "1");
        const key = `${dir}/a`;
        await expect(set(key, "1")).rejects.toMatchObject(notFile(key));
        await expect(keySpace.execute({ action: "set", key, dir: true })).rejects.toMatchObject(
          notFile(key),
        );
        await expect(keySpace.execute({ action: "delete", key })).rejects.toMatchObject(
          notFile(key),
        );
        await expect(keySpace.execute({ action: "delete", key, dir: true })).rejects.toMatchObject(
          dirNotEmpty(key),
        );
        const removed = await keySpace.execute({ action: "delete", key, recursive: true });
        expect(removed.node).toMatchObject({ key, dir: true });
        expect(removed.prevNode).toMatchObject({ key, dir: true });
        await expect(get(key)).rejects.toMatchObject(keyNotFound(dir));
      });

      it("gets markers above it with the next write of etcdnet below them", async () => {
        await tool.put(`${dir}/a/b`, "1");
        const { node } = await set(`${dir}/a/c`, "2");
        await tool.delPrefix(`${dir}/a/`);
        expect((await get(`${dir}/a`)).node).toMatchObject({ createdIndex: node.createdIndex });
      });

      it("can exist before keys of etcdnet, in any order", async () => {
        await set(`${dir}/a/b`, "1");
        await tool.put(`${dir}/a/c/d`, "2");
        expect(names((await get(`${dir}/a`)).node)).toEqual(["/a/b", "/a/c"]);
        const whole = await get(dir, { recursive: true });
        expect(whole.node.nodes?.[0]?.nodes?.map(({ key }) => key)).toEqual([
          `${dir}/a/b`,
          `${dir}/a/c`,
        ]);
      });
    });

    describe("a value and keys below it", () => {
      it("read as a file; the keys below have their own paths", async () => {
        await tool.put(`${dir}/a`, "1");
        await tool.put(`${dir}/a/b`, "2");
        expect((await get(`${dir}/a`)).node).toMatchObject({ value: "1" });
        expect((await get(`${dir}/a/b`)).node).toMatchObject({ value: "2" });
        expect((await get(dir)).node.nodes).toEqual([(await get(`${dir}/a`)).node]);
      });

      it("can be written; new keys below need a marker", async () => {
        await tool.put(`${dir}/a`, "1");
        await tool.put(`${dir}/a/b`, "2");
        expect((await set(`${dir}/a`, "3")).prevNode).toMatchObject({ value: "1" });
        expect((await set(`${dir}/a/b`, "4")).prevNode).toMatchObject({ value: "2" });
        await expect(set(`${dir}/a/c`, "5")).rejects.toMatchObject(notDir(`${dir}/a`));
        await set(`${dir}/d/b`, "1");
        await tool.put(`${dir}/d`, "2");
        expect((await set(`${dir}/d/c`, "3")).node).toMatchObject({ value: "3" });
      });

      it("are taken apart by deletes: the value first, then the directory", async () => {
        await tool.put(`${dir}/a`, "1");
        await tool.put(`${dir}/a/b`, "2");
        await keySpace.execute({ action: "delete", key: `${dir}/a` });
        expect((await get(`${dir}/a`)).node).toMatchObject({ dir: true });
        await tool.put(`${dir}/a`, "1");
        await keySpace.execute({ action: "delete", key: `${dir}/a`, recursive: true });
        await expect(get(`${dir}/a/b`)).rejects.toMatchObject(keyNotFound(dir));
      });
    });

    describe("keys and values that v2 cannot represent", () => {
      it("keys with empty and dotted segments are not listed, and are deleted with their directory", async () => {
        await set(`${dir}/a/b`, "1");
        for (const odd of ["//x", "/a//x", "/a/./x", "/a/../x", "/a/", "/a/b/"]) {
          await tool.put(`${dir}${odd}`, "odd");
        }
        expect(names((await get(`${dir}/a`)).node)).toEqual(["/a/b"]);
        expect(names((await get(dir, { recursive: true })).node)).toEqual(["/a"]);
        await keySpace.execute({ action: "delete", key: `${dir}/a/b` });
        await expect(
          keySpace.execute({ action: "delete", key: `${dir}/a`, dir: true }),
        ).rejects.toMatchObject(dirNotEmpty(`${dir}/a`));
        await keySpace.execute({ action: "delete", key: dir, recursive: true });
        expect((await tool.keys()).filter((key) => key.includes(dir))).toEqual([]);
      });

      it("paths with a zero character do not exist, at any depth", async () => {
        await set(`${dir}/a/b`, "1");
        const odd = [`${dir}\0etcdnet/d/a`, `${dir}/a\0x`, `${dir}/a/\0/x`, `${dir}/a/b\0`];
        const watch = await keySpace.openWatch({ key: dir, recursive: true, stream: true });
        for (const key of odd) {
          await tool.put(key, "odd");
          await tool.put(`\0etcdnet/d${key}`, "");
          await tool.put(`\0etcdnet/o${key}`, "");
        }
        expect(names((await get(`${dir}/a`)).node)).toEqual(["/a/b"]);
        const recursive = await get("/", { recursive: true });
        expect(JSON.stringify(recursive.node)).not.toContain("\\u0000");
        for (const key of odd) {
          await tool.del(`\0etcdnet/d${key}`);
          await tool.put("\0etcdnet/action", JSON.stringify({ action: "delete", key, dir: true }));
          const refused = { errorCode: 209, detail: expect.stringContaining("zero character") };
          const condition = { value: "2", prevValue: "odd" };
          for (const request of [
            { action: "get", key },
            { action: "get", key, recursive: true, quorum: true },
            { action: "set", key, value: "2" },
            { action: "create", key, value: "2" },
            { action: "create", key, value: "2", inOrder: true },
            { action: "update", key, value: "2" },
            { action: "compareAndSwap", key, ...condition },
            { action: "delete", key, recursive: true },
            { action: "compareAndDelete", key, prevValue: "odd" },
          ] as const) {
            await expect(keySpace.execute(request)).rejects.toMatchObject(refused);
          }
          await expect(keySpace.openWatch({ key })).rejects.toMatchObject(refused);
          const loading = keySpace.loading?.load([
            { key: `${dir}/a/c`, value: "" },
            { key, value: "" },
          ]);
          await expect(loading).rejects.toMatchObject(refused);
        }
        await set(`${dir}/last`, "1");
        for await (const { node } of watch) {
          expect(node.key).toBe(`${dir}/last`);
          break;
        }
        watch.close();
        await keySpace.execute({ action: "delete", key: `${dir}/a`, recursive: true });
        const left = (await tool.keys()).filter((key) => key.includes(`${dir}/a/`));
        expect(left.filter((key) => key.startsWith("/"))).toEqual([]);
      });

      it("keys deeper than the limit are not listed", async () => {
        await set(`${dir}/a/b`, "1");
        await tool.put(`${dir}/a${"/d".repeat(200_000)}`, "deep");
        await tool.put(`${dir}/a${"/e".repeat(61)}`, "deep");
        const { node } = await get(dir, { recursive: true });
        expect(JSON.stringify(node)).not.toContain("deep");
        expect(names(node)).toEqual(["/a"]);
        await keySpace.execute({ action: "delete", key: `${dir}/a`, recursive: true });
      });

      it("keys that do not begin with / do not exist", async () => {
        await tool.put(`no${dir}`, "1");
        await tool.put("-", "1");
        const { node } = await get("/", { recursive: true });
        expect(JSON.stringify(node)).not.toContain(dir);
      });

      it("keys that are not UTF-8 are not listed", async () => {
        await set(`${dir}/a`, "1");
        await tool.put(Buffer.concat([Buffer.from(`${dir}/`), Buffer.of(0xff, 0xfe)]), "1");
        expect(names((await get(dir)).node)).toEqual(["/a"]);
      });

      it("values that are not UTF-8 contain U+FFFD and are equal to no value", async () => {
        const key = `${dir}/a`;
        await tool.put(key, Buffer.of(0x61, 0xff));
        expect((await get(key)).node.value).toBe("a\uFFFD");
        const swap = { action: "compareAndSwap", key, prevValue: "a\uFFFD", value: "1" } as const;
        await expect(keySpace.execute(swap)).rejects.toMatchObject(
          testFailed("[a\uFFFD != a\uFFFD]"),
        );
        expect((await set(key, "1")).prevNode?.value).toBe("a\uFFFD");
      });
    });

    it("a tree below a prefix is separate from others", async () => {
      const [one, other] = [`one${dir}`, `other${dir}`].map((prefix) =>
        v3KeySpaceOf(etcd.urls, prefix),
      ) as [KeySpace, KeySpace];
      await one.execute({ action: "set", key: "/a/b", value: "1" });
      await expect(other.execute({ action: "get", key: "/a" })).rejects.toMatchObject(
        keyNotFound("/a"),
      );
      await expect(get("/a/b")).rejects.toMatchObject(keyNotFound("/a"));
      const keys = await tool.keys();
      expect(keys).toContain(`one${dir}/a/b`);
      expect(keys).toContain(`one${dir}\0etcdnet/d/a`);
      await one.close();
      await other.close();
    });
  });
}
