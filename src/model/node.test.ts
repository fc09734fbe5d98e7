import { expect, expectTypeOf, test } from "vitest";
import { EtcdClient } from "../client/etcd-client.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import type { EtcdNode, RemovedNode } from "./node.js";

test("dir distinguishes a directory from a file", async () => {
  await using etcd = new EtcdClient({ keySpace: new MemoryKeySpace() });
  await etcd.setNode("/a/b", "1");
  const { node } = await etcd.getNode("/a");
  if (!node.dir) return expect.fail("it is a directory");
  expectTypeOf(node.value).toEqualTypeOf<undefined>();
  expectTypeOf(node.nodes).toEqualTypeOf<readonly EtcdNode[] | undefined>();
  const [child] = node.nodes ?? [];
  if (child === undefined || child.dir) return expect.fail("it is a file");
  expectTypeOf(child.value).toEqualTypeOf<string>();
  expect(child.value).toBe("1");
});

test("a removed node has no value; prevNode has one", async () => {
  await using etcd = new EtcdClient({ keySpace: new MemoryKeySpace() });
  await etcd.setNode("/a", "1");
  const { node, prevNode } = await etcd.deleteNode("/a");
  expectTypeOf(node).toEqualTypeOf<EtcdNode | RemovedNode>();
  expectTypeOf(prevNode).toEqualTypeOf<EtcdNode | undefined>();
  expect([node.value, prevNode?.value]).toEqual([undefined, "1"]);
});

test("the value of a file is a string, and null only with the option", async () => {
  await using etcd = new EtcdClient({ keySpace: new MemoryKeySpace() });
  await etcd.setNode("/a/b", "1");
  const value = await etcd.getNodeValue("/a/b");
  expectTypeOf(value).toEqualTypeOf<string>();
  const orNull = await etcd.getNodeValue("/c", { ignoreKeyNotFound: true });
  expectTypeOf(orNull).toEqualTypeOf<string | null>();
  const maybe: boolean | undefined = value === "1" ? undefined : true;
  const either = etcd.getNodeValue("/a/b", { ignoreKeyNotFound: maybe });
  expectTypeOf(either).toEqualTypeOf<Promise<string | null>>();
  expect([value, orNull, await either]).toEqual(["1", null, "1"]);
  expect(await etcd.getNodeValue("/a", { ignoreKeyNotFound: true })).toBeNull();
  await expect(etcd.getNodeValue("/a")).rejects.toMatchObject({
    ...{ name: "NotFileError", errorCode: 102, key: "/a", detail: "/a" },
  });
});
