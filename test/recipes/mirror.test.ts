import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EtcdClient, type EtcdNode, Mirror, type MirrorChange } from "../../src/index.js";
import { MemoryKeySpace } from "../../src/server/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { describeOnEach, type TestServer } from "./test-servers.js";

const flat = ({ nodes = [], ...node }: EtcdNode): EtcdNode[] => [node, ...nodes.flatMap(flat)];

/** A node without `ttl`, which decreases with time. */
const withoutTtl = ({ ttl: _, ...node }: EtcdNode): EtcdNode => node;

/** Expects that the mirror, at the index of a recursive read, has the same nodes as the read. */
async function expectEqual(mirror: Mirror, etcd: EtcdClient): Promise<void> {
  const options = { recursive: true, sorted: true, quorum: true, ignoreKeyNotFound: true };
  const response = await etcd.getNode(mirror.key, options);
  await mirror.waitFor(response?.etcdIndex ?? etcd.lastIndex);
  expect([...mirror].map(withoutTtl)).toEqual(
    response === null ? [] : flat(response.node).map(withoutTtl),
  );
}

function changesOf(mirror: Mirror): string[] {
  const changes: string[] = [];
  const show = (node: EtcdNode | undefined) => node && (node.value ?? "dir");
  mirror.on("change", ({ action, key, node, prevNode }: MirrorChange) => {
    changes.push(`${action} ${key}: ${show(prevNode)} -> ${show(node)}`);
  });
  return changes;
}

/** The tests for every key space. */
function testMirror(clientOf: () => EtcdClient): void {
  test("contains the existing nodes, and follows every kind of write", async () => {
    const etcd = clientOf();
    await etcd.setNode("/kinds/old", "1");
    await using mirror = new Mirror(etcd, "/kinds");
    await mirror.ready;
    expect(mirror.value("/kinds/old")).toBe("1");
    const changes = changesOf(mirror);
    await etcd.setNode("/kinds/old", "2");
    await etcd.createNode("/kinds/a/b/c", "1");
    await etcd.updateNode("/kinds/a/b/c", "2");
    await etcd.compareAndSwapNode("/kinds/a/b/c", { prevValue: "2" }, "3");
    await etcd.compareAndDeleteNode("/kinds/old", { prevValue: "2" });
    await etcd.setNode("/kinds/file", "1");
    await etcd.setNode("/kinds/file", null, { dir: true });
    const { node } = await etcd.createInOrderNode("/kinds/file", "job");
    await etcd.deleteNode("/kinds/a", { recursive: true });
    await expectEqual(mirror, etcd);
    expect(changes).toEqual([
      "set /kinds/old: 1 -> 2",
      "create /kinds/a: undefined -> dir",
      "create /kinds/a/b: undefined -> dir",
      "create /kinds/a/b/c: undefined -> 1",
      "update /kinds/a/b/c: 1 -> 2",
      "compareAndSwap /kinds/a/b/c: 2 -> 3",
      "compareAndDelete /kinds/old: 2 -> undefined",
      "set /kinds/file: undefined -> 1",
      "set /kinds/file: 1 -> dir",
      `create ${node.key}: undefined -> job`,
      "delete /kinds/a/b/c: 3 -> undefined",
      "delete /kinds/a/b: dir -> undefined",
      "delete /kinds/a: dir -> undefined",
    ]);
  });

  test("starts before its key exists, and follows its removal with a directory above it and its new creation", async () => {
    const etcd = clientOf();
    await using mirror = new Mirror(etcd, "/above/it");
    await mirror.ready;
    expect([...mirror]).toEqual([]);
    for (const value of ["1", "2"]) {
      await etcd.setNode("/above/it/a", value);
      await expectEqual(mirror, etcd);
      expect(mirror.value("/above/it/a")).toBe(value);
      const { node } = await etcd.deleteNode("/above", { recursive: true });
      await mirror.waitFor(node.modifiedIndex);
      expect([...mirror]).toEqual([]);
    }
  });

  test("removes expired nodes, including a directory with its contents", async () => {
    const etcd = clientOf();
    await using mirror = new Mirror(etcd, "/expiring");
    await mirror.ready;
    const changes = changesOf(mirror);
    await etcd.setNode("/expiring/file", "1", { ttl: 1 });
    await etcd.setNode("/expiring/dir", null, { dir: true, ttl: 1 });
    const { node } = await etcd.setNode("/expiring/dir/a", "1");
    await mirror.waitFor(node.modifiedIndex);
    while (mirror.list("/expiring").length > 0) await once(mirror, "change");
    expect(changes.filter((change) => change.startsWith("expire")).sort()).toEqual([
      "expire /expiring/dir/a: 1 -> undefined",
      "expire /expiring/dir: dir -> undefined",
      "expire /expiring/file: 1 -> undefined",
    ]);
    await expectEqual(mirror, etcd);
  });

  test("omits hidden keys, unless the mirrored key is hidden itself", async () => {
    const etcd = clientOf();
    await etcd.setNode("/hiding/_a", "1");
    await using above = new Mirror(etcd, "/hiding");
    await using within = new Mirror(etcd, "/hiding/_b");
    await Promise.all([above.ready, within.ready]);
    await etcd.setNode("/hiding/_a", "2");
    await etcd.setNode("/hiding/_b/c", "1");
    const { node } = await etcd.setNode("/hiding/d", "1");
    await Promise.all([above, within].map((mirror) => mirror.waitFor(node.modifiedIndex)));
    expect([...above].map(({ key }) => key)).toEqual(["/hiding", "/hiding/d"]);
    expect([...within].map(({ key }) => key)).toEqual(["/hiding/_b", "/hiding/_b/c"]);
  });

  test("has keys without the prefix in a namespace", async () => {
    const etcd = clientOf();
    const inside = etcd.namespace("/spaces/one");
    await inside.setNode("/a", "1");
    await using mirror = new Mirror(inside, "/");
    await mirror.ready;
    const { node } = await inside.setNode("/b", "2");
    await mirror.waitFor(node.modifiedIndex);
    expect([...mirror].map(({ key }) => key)).toEqual(["/", "/a", "/b"]);
    const deleted = await etcd.deleteNode("/spaces", { recursive: true });
    await mirror.waitFor(deleted.node.modifiedIndex);
    expect([...mirror]).toEqual([]);
  });

  test("waits for an index at which another key was written", async () => {
    const etcd = clientOf();
    await using mirror = new Mirror(etcd, "/quiet");
    await mirror.ready;
    const { node } = await etcd.setNode("/elsewhere", "1");
    await mirror.waitFor(node.modifiedIndex);
    expect(mirror.index).toBeGreaterThanOrEqual(node.modifiedIndex);
  });

  test("is equal to etcd after concurrent writes", async () => {
    const etcd = clientOf();
    await using mirror = new Mirror(etcd, "/busy");
    await mirror.ready;
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; n < 100; n++) {
        const directory = `/busy/${(writer * 7 + n) % 5}`;
        await etcd.setNode(`${directory}/${n % 10}`, `${writer} ${n}`);
        if (n % 20 === 19) await etcd.deleteNode(directory, { recursive: true }).catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: 10 }, (_, writer) => write(writer)));
    await expectEqual(mirror, etcd);
  });
}

describe("a mirror in memory", () => {
  const etcd = new EtcdClient({ keySpace: new MemoryKeySpace() });
  afterAll(() => etcd.close());
  testMirror(() => etcd);
});

describeOnEach("a mirror", (start) => {
  let server: TestServer;
  let etcd: EtcdClient;

  beforeAll(async () => {
    server = await start();
    etcd = server.client();
  });
  afterAll(async () => {
    await etcd?.close();
    await server?.[Symbol.asyncDispose]();
  });

  testMirror(() => etcd);
});

describeWithEtcd("3.4", "a mirror with a connection that fails", () => {
  let cluster: EtcdCluster;
  let etcd: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    etcd = new EtcdClient({ urls: cluster.urls });
  });
  afterAll(async () => {
    await etcd.close();
    await cluster.stop();
  });

  test("serves the old copy while it is disconnected, then emits the exact differences", async () => {
    await using proxy = await FaultProxy.before(cluster.urls[0]);
    await using follower = new EtcdClient({ urls: [proxy.url] });
    for (const name of ["same", "written", "deleted"]) await etcd.setNode(`/cut/${name}`, "1");
    await using mirror = new Mirror(follower, "/cut");
    await mirror.ready;
    const changes = changesOf(mirror);
    await proxy.become("refuse");
    await etcd.setNode("/cut/same", "1");
    await etcd.setNode("/cut/written", "2");
    await etcd.deleteNode("/cut/deleted");
    await etcd.setNode("/cut/new/a", "1");
    await overrunHistory(etcd);
    expect([mirror.value("/cut/written"), mirror.has("/cut/deleted")]).toEqual(["1", true]);
    const resync = once(mirror, "resync");
    await proxy.become("pass");
    expect(await resync).toMatchObject([{ reason: "history-cleared" }]);
    expect(changes).toEqual([
      "resync /cut/deleted: 1 -> undefined",
      expect.stringMatching("^resync /cut/(written|new)"),
      expect.stringMatching("^resync /cut/(written|new)"),
      expect.stringMatching("^resync /cut/(written|new)"),
    ]);
    await expectEqual(mirror, etcd);
  });

  test("closes with its client, and leaves no connection", async () => {
    await using proxy = await FaultProxy.before(cluster.urls[0]);
    const follower = new EtcdClient({ urls: [proxy.url] });
    const mirrors = Array.from({ length: 5 }, () => new Mirror(follower, "/free"));
    await Promise.all(mirrors.map(({ ready }) => ready));
    expect(proxy.open).toBeGreaterThan(0);
    await follower.close();
    for (const mirror of mirrors) await expect(mirror.waitFor(1e9)).rejects.toThrow("aborted");
    await expect.poll(() => proxy.open).toBe(0);
  });

  test("emits an error without read permission, and loads when the permission is granted", async () => {
    await using guarded = await startEtcd({ release: "3.4", rootPassword: "secret" });
    const [urls, password] = [guarded.urls, "secret"];
    await using root = new EtcdClient({ urls, username: "root", password });
    await root.setNode("/guarded/a", "1");
    await root.auth.roles.update("guest", { revoke: { read: ["/*"] } });
    await using guest = new EtcdClient({ urls });
    await using mirror = new Mirror(guest, "/guarded");
    const errors: string[] = [];
    mirror.on("error", ({ name }) => errors.push(name));
    await expect(mirror.ready).rejects.toMatchObject({ name: "UnauthorizedError" });
    expect(errors).toEqual(["UnauthorizedError"]);
    await root.auth.roles.update("guest", { grant: { read: ["/*"] } });
    await mirror.waitFor(1);
    expect(mirror.value("/guarded/a")).toBe("1");
  });
});

/** Makes more changes than etcd keeps, to another key. */
async function overrunHistory(etcd: EtcdClient): Promise<void> {
  for (let batch = 0; batch < 22; batch++) {
    await Promise.all(Array.from({ length: 50 }, () => etcd.setNode("/cut-elsewhere", "tick")));
  }
}
