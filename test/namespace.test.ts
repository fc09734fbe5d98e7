import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, type EtcdServerError } from "../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "./support/etcd.js";

describeWithEtcd("3.4", "a namespace on a real etcd", () => {
  let etcd: EtcdCluster;
  let whole: EtcdClient;
  let count = 0;

  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.4" });
    whole = new EtcdClient({ urls: etcd.urls });
  });
  afterAll(async () => {
    await whole?.close();
    await etcd?.stop();
  });

  /** A prefix that no other test uses, and the client of the namespace. */
  function newNamespace(): { readonly prefix: string; readonly inside: EtcdClient } {
    const prefix = `/apps/mail-${++count}`;
    return { prefix, inside: whole.namespace(prefix) };
  }

  async function refusalOf(call: Promise<unknown>): Promise<EtcdServerError> {
    return call.then(
      () => expect.fail("was not refused"),
      (error) => error,
    );
  }

  test("every operation works below the prefix, and its response does not contain the prefix", async () => {
    const { prefix, inside } = newNamespace();
    const created = await inside.createNode("/a", "1");
    expect(created.node).toMatchObject({ key: "/a", value: "1" });
    const { node: real } = await whole.getNode(`${prefix}/a`);
    expect(created.node).toEqual({ ...real, key: "/a" });

    const set = await inside.setNode("/a", "2");
    expect(set).toMatchObject({ node: { key: "/a" }, prevNode: { key: "/a", value: "1" } });
    const updated = await inside.updateNode("/a", "3");
    expect(updated).toMatchObject({ node: { key: "/a" }, prevNode: { key: "/a", value: "2" } });
    const swapped = await inside.compareAndSwapNode("/a", { prevValue: "3" }, "4");
    expect(swapped).toMatchObject({ node: { key: "/a" }, prevNode: { key: "/a", value: "3" } });
    const refreshed = await inside.refreshNode("/a", 1000);
    expect(refreshed).toMatchObject({ node: { key: "/a", value: "4" }, prevNode: { key: "/a" } });
    const removed = await inside.compareAndDeleteNode("/a", { prevValue: "4" });
    expect(removed).toMatchObject({ node: { key: "/a" }, prevNode: { key: "/a", value: "4" } });

    const ordered = await inside.createInOrderNode("/queue", "5");
    expect(ordered.node.key).toMatch(/^\/queue\/\d{20}$/);
    const deleted = await inside.deleteNode("/queue", { recursive: true });
    expect(deleted).toMatchObject({ node: { key: "/queue" }, prevNode: { key: "/queue" } });
    const receipt = await inside.setNode("/b", "6", { noValueOnSuccess: true });
    expect(receipt).not.toHaveProperty("node");
    expect(await whole.getNodeValue(`${prefix}/b`)).toBe("6");
    expect(await inside.getNodeValue("/b")).toBe("6");
    expect(await inside.getNode("/nope", { ignoreKeyNotFound: true })).toBeNull();
  });

  test("a recursive listing contains no prefix at any depth", async () => {
    const { prefix, inside } = newNamespace();
    for (const key of ["/a", `${prefix}/x`, "/b/c/d", "/b/e"]) await inside.setNode(key, key);
    const deep = { recursive: true, sorted: true };
    const { node } = await inside.getNode("/", deep);
    const outside = await whole.getNode(prefix, deep);
    const text = JSON.stringify(outside.node).replaceAll(`"key":"${prefix}/`, '"key":"/');
    expect(node).toEqual({ ...JSON.parse(text), key: "/" });
    const below = await inside.getNode("/b", deep);
    expect(below.node.nodes?.map(({ key }) => key)).toEqual(["/b/c", "/b/e"]);
    expect(below.node.nodes?.[0]?.nodes?.[0]?.key).toBe("/b/c/d");
  });

  test("its root is an ordinary directory: it can be missing, created, listed and deleted", async () => {
    const { prefix, inside } = newNamespace();
    expect(await refusalOf(inside.getNode("/"))).toMatchObject({ errorCode: 100, key: "/" });
    await inside.setNode("/", null, { dir: true });
    expect((await inside.getNode("/")).node).toMatchObject({ key: "/", dir: true });
    await inside.createInOrderNode("/", "1");
    const { node } = await inside.getNode("/", { sorted: true });
    expect(node.nodes?.[0]?.key).toMatch(/^\/\d{20}$/);
    const removed = await inside.deleteNode("/", { recursive: true });
    expect(removed).toMatchObject({ node: { key: "/" }, prevNode: { key: "/", dir: true } });
    expect(await whole.getNode(prefix, { ignoreKeyNotFound: true })).toBeNull();
  });

  test("errors contain no prefix in key, detail and message", async () => {
    const { prefix, inside } = newNamespace();
    await inside.setNode("/dir/file", "1");
    const refusals = [
      [() => inside.getNode("/dir/nope/x"), 100, "GET /dir/nope/x", "/dir/nope"],
      [() => inside.setNode("/dir", "1"), 102, "PUT /dir", "/dir"],
      [() => inside.setNode("/dir/file/x", "1"), 104, "PUT /dir/file/x", "/dir/file"],
      [() => inside.createNode("/dir/file", "1"), 105, "PUT /dir/file", "/dir/file"],
      [() => inside.deleteNode("/dir", { dir: true }), 108, "DELETE /dir", "/dir"],
      [() => inside.deleteNode("/", { dir: true }), 108, "DELETE /", "/"],
      [() => inside.getNode("/nope/"), 100, "GET /nope/", "/nope"],
    ] as const;
    for (const [call, errorCode, operation, detail] of refusals) {
      const error = await refusalOf(call());
      const key = operation.split(" ")[1];
      expect(error).toMatchObject({ errorCode, operation, key, detail, endpoint: etcd.urls[0] });
      expect(error.message).not.toContain(prefix);
      expect(error.message).toContain(`${operation} at ${etcd.urls[0]}: `);
    }
  });

  test("the error of a failed comparison contains both values unchanged", async () => {
    const { prefix, inside } = newNamespace();
    await inside.setNode("/a", `${prefix}/a`);
    const error = await refusalOf(inside.compareAndDeleteNode("/a", { prevValue: "/b" }));
    expect(error.detail).toBe(`[/b != ${prefix}/a]`);
  });

  test("an error about a directory above the namespace names the root", async () => {
    const missing = await refusalOf(whole.namespace("/nowhere/at/all").getNode("/a"));
    expect(missing).toMatchObject({ errorCode: 100, key: "/a", detail: "/" });
    const { prefix } = newNamespace();
    await whole.setNode(prefix, "a file");
    const belowFile = await refusalOf(whole.namespace(`${prefix}/x`).setNode("/a", "1"));
    expect(belowFile).toMatchObject({ errorCode: 104, key: "/a", detail: "/" });
    expect(belowFile.message).not.toContain(prefix);
  });

  test("events contain no prefix", async () => {
    const { prefix, inside } = newNamespace();
    const { node } = await inside.setNode("/a", "1");
    const waitIndex = node.modifiedIndex;
    for (const [key, recursive] of [
      ["/a", false],
      ["/", true],
    ] as const) {
      const event = await inside.watchNode(key, { recursive, waitIndex });
      expect(event).toMatchObject({ action: "set", node: { key: "/a", value: "1" } });
    }
    await whole.setNode(`${prefix}/b/c`, "2");
    const deep = await inside.watchNode("/b", { recursive: true, waitIndex: waitIndex + 1 });
    expect(deep.node).toMatchObject({ key: "/b/c", value: "2" });
    await whole.deleteNode(`${prefix}/b/c`);
    const removal = await inside.watchNode("/b/c", { waitIndex: waitIndex + 2 });
    expect(removal).toMatchObject({ node: { key: "/b/c" }, prevNode: { key: "/b/c", value: "2" } });
  });

  test("the delete of a directory above the namespace is an event of the root", async () => {
    const { prefix } = newNamespace();
    const inside = whole.namespace(`${prefix}/deep/down`);
    const { node } = await inside.setNode("/a", "1");
    const { node: gone } = await whole.deleteNode(prefix, { recursive: true });
    const waitIndex = node.modifiedIndex + 1;
    for (const key of ["/a", "/"]) {
      const event = await inside.watchNode(key, { waitIndex });
      expect(event).toMatchObject({ action: "delete", node: { key: "/" }, prevNode: { key: "/" } });
      expect(event.node.modifiedIndex).toBe(gone.modifiedIndex);
    }
  });

  test("the error of a refused watch does not contain the prefix", async () => {
    const { prefix, inside } = newNamespace();
    const { node } = await inside.setNode("/a", "1");
    const write = () => whole.setNode("/many", "1", { noValueOnSuccess: true });
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 50 }, write));
    const error = await refusalOf(inside.watchNode("/a", { waitIndex: node.modifiedIndex }));
    expect(error).toMatchObject({ errorCode: 401, key: "/a", operation: "GET /a" });
    expect(error.message).not.toContain(prefix);
  });

  test("the delete of a directory whose name is a text prefix of the namespace's is no event", async () => {
    const { prefix } = newNamespace();
    await whole.setNode(`${prefix}/x`, "1");
    const inside = whole.namespace(`${prefix}-and-more`);
    const { node } = await inside.setNode("/a", "1");
    await whole.deleteNode(prefix, { recursive: true });
    const change = await inside.setNode("/a", "2");
    const waitIndex = node.modifiedIndex + 1;
    for (const options of [{ waitIndex }, { waitIndex, recursive: true }]) {
      const event = await inside.watchNode(options.recursive ? "/" : "/a", options);
      expect(event).toMatchObject({ action: "set", node: change.node });
    }
  });

  test("namespaces can be nested", async () => {
    const { prefix, inside } = newNamespace();
    const nested = inside.namespace("/x").namespace("/y");
    const { node } = await nested.setNode("/a", "1");
    expect(node.key).toBe("/a");
    expect(await whole.getNodeValue(`${prefix}/x/y/a`)).toBe("1");
    expect((await inside.getNode("/x", { recursive: true })).node.nodes?.[0]?.nodes?.[0]?.key).toBe(
      "/x/y/a",
    );
    const error = await refusalOf(nested.getNode("/nope"));
    expect(error).toMatchObject({ key: "/nope", detail: "/nope", operation: "GET /nope" });
    const event = await nested.watchNode("/", { recursive: true, waitIndex: node.modifiedIndex });
    expect(event.node).toEqual(node);
  });

  test("a trailing slash in the prefix is ignored", async () => {
    const { prefix, inside } = newNamespace();
    const slashed = whole.namespace(`${prefix}/`);
    await slashed.setNode("/a", "1");
    expect((await inside.getNode("/a")).node).toEqual((await slashed.getNode("/a")).node);
    expect((await slashed.getNode("/")).node.nodes?.[0]?.key).toBe("/a");
  });

  test("a prefix may contain any characters", async () => {
    const { prefix } = newNamespace();
    for (const odd of [`${prefix}/a b%2F$&`, `${prefix}/日本.*`, `${prefix}/$1`]) {
      const inside = whole.namespace(odd);
      const { node } = await inside.setNode("/$&", "1");
      expect(node.key).toBe("/$&");
      expect(await whole.getNodeValue(`${odd}/$&`)).toBe("1");
      const error = await refusalOf(inside.getNode("/$& $$"));
      expect(error).toMatchObject({ key: "/$& $$", detail: "/$& $$", operation: "GET /$& $$" });
    }
  });

  test("the namespace of / is the whole key space", async () => {
    const { prefix } = newNamespace();
    const inside = whole.namespace("/");
    await inside.setNode(`${prefix}/a`, "1");
    expect((await whole.getNode(`${prefix}/a`)).node.value).toBe("1");
    expect((await inside.getNode("/")).node).toMatchObject({ key: "/", dir: true });
    const error = await refusalOf(inside.setNode("/", null, { dir: true }));
    expect(error).toMatchObject({ errorCode: 107, key: "/", detail: "/", operation: "PUT /" });
  });

  test("close of a namespace leaves its parent and its siblings open", async () => {
    const parent = new EtcdClient({ urls: etcd.urls });
    const [first, second] = [parent.namespace("/first"), parent.namespace("/second")];
    await first.close();
    await first[Symbol.asyncDispose]();
    await second.setNode("/a", "1");
    expect(await parent.getNodeValue("/second/a")).toBe("1");
    await parent.close();
    await expect(second.getNode("/a")).rejects.toThrow(TypeError);
  });

  test("a namespace has the cluster calls, and its own lastIndex", async () => {
    const { inside } = newNamespace();
    expect(await inside.members.list()).toHaveLength(1);
    const { etcdIndex, etcdClusterId } = await inside.setNode("/a", "1");
    expect(inside).toMatchObject({ lastIndex: etcdIndex, clusterId: etcdClusterId });
  });

  test("a namespace has the consistency of its parent", async () => {
    await using strict = new EtcdClient({ urls: etcd.urls, consistency: "quorum" });
    const inside = strict.namespace("/apps");
    await inside.setNode("/a", "1");
    const before = await inside.getNode("/a");
    // A quorum read goes through etcd's log and advances the raft index. A local read does not.
    const after = await inside.getNode("/a");
    expect(after.raftIndex).toBeGreaterThan(before.raftIndex);
    const local = await inside.getNode("/a", { quorum: false });
    expect((await inside.getNode("/a", { quorum: false })).raftIndex).toBe(local.raftIndex);
  });
});
