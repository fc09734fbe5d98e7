import { afterAll, beforeAll, expect, it } from "vitest";
import { EtcdClient, type PastChange } from "../../src/index.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { V3Tool } from "./v3-tools.js";

/** etcd puts so many revisions of a watch from the past into a message. */
const MESSAGE = 1_000;
const OFFSET = 5_000_000;

for (const release of ["3.4", "3.7"] as const) {
  describeEtcdSideBySide(release, `the past in the revisions of etcd ${release}`, () =>
    reads(release),
  );
}

function reads(release: "3.4" | "3.7"): void {
  let cluster: EtcdCluster;
  let etcd: EtcdClient;
  let tool: V3Tool;
  beforeAll(async () => {
    cluster = await startEtcd({ release, args: ["--max-txn-ops=16"] });
    tool = new V3Tool(cluster.urls);
    await tool.put("\0etcdnet/offset", String(OFFSET));
    etcd = new EtcdClient({ urls: cluster.urls, api: "v3" });
  });
  afterAll(async () => {
    tool?.close();
    await etcd?.close();
    await cluster?.stop();
  });

  const changesOf = async (
    key: string,
    client = etcd,
    recursive = false,
  ): Promise<readonly PastChange[]> => {
    const changes: PastChange[] = [];
    for await (const change of await client.history(key, { recursive })) changes.push(change);
    return changes;
  };
  /** `key: action value` of each change at or below a key. */
  const shownBelow = async (key: string, client = etcd): Promise<readonly string[]> => {
    const changes = await changesOf(key, client, true);
    const texts = shown(changes);
    return changes.map(({ node }, at) => `${node.key}: ${texts[at]}`);
  };
  /** `action value` of each change, and the key that caused it. */
  const shown = (changes: readonly PastChange[]): readonly string[] =>
    changes.map(({ action, node, prevNode, refresh, by }) =>
      [
        action,
        node.value ?? (node.dir ? "dir" : "-"),
        prevNode?.value ?? (prevNode?.dir ? "dir" : "-"),
      ]
        .concat(refresh ? ["refresh"] : [], by ?? [])
        .join(" "),
    );
  const manyPuts = async (key: string, count: number): Promise<void> => {
    for (let at = 0; at < count; at += 50) {
      const some = Math.min(50, count - at);
      await Promise.all(Array.from({ length: some }, () => tool.put(key, "x")));
    }
  };
  const currentIndex = async (): Promise<number> => (await etcd.getNode("/")).etcdIndex;

  it("shows every change of a key with its action, value and previous value", async () => {
    await etcd.setNode("/h/a", "1");
    await etcd.updateNode("/h/a", "2", { ttl: 1000 });
    await etcd.refreshNode("/h/a", 2000);
    await etcd.compareAndSwapNode("/h/a", { prevValue: "2" }, "3");
    await tool.put("/h/a", "of another program");
    await etcd.deleteNode("/h/a");
    await etcd.createNode("/h/a", null, { dir: true });
    await etcd.setNode("/h/a/below", "1");
    await etcd.deleteNode("/h/a", { recursive: true });
    await etcd.createNode("/h/a", "again");
    await etcd.deleteNode("/h", { recursive: true });
    const changes = await changesOf("/h/a");
    expect(shown(changes)).toEqual([
      "set 1 -",
      "update 2 1",
      "update 2 2 refresh",
      "compareAndSwap 3 2",
      "set of another program 3",
      "delete - of another program",
      "create dir -",
      "delete dir dir",
      "create again -",
      "delete - again /h",
    ]);
    expect(shown(await changesOf("/h"))).toEqual(["create dir -", "delete dir dir"]);
    expect(changes[1]?.node.expiration).toMatch(/^20/);
    for (const { index, node, prevNode } of changes) {
      const now = await etcd.at(index).getNode("/h/a", { ignoreKeyNotFound: true });
      expect(now?.node.value).toBe(node.value);
      expect(now?.etcdIndex ?? index).toBe(index);
      const before = await etcd.at(index - 1).getNode("/h/a", { ignoreKeyNotFound: true });
      expect([before?.node.value, before?.node.modifiedIndex]).toEqual([
        prevNode?.value,
        prevNode?.modifiedIndex,
      ]);
    }
  });

  it("knows the action of each of many changes", async () => {
    await etcd.createNode("/u", "0");
    for (let n = 1; n <= 40; n++) await etcd.updateNode("/u", String(n));
    const updates = Array.from({ length: 40 }, (_, n) => `update ${n + 1} ${n}`);
    expect(shown(await changesOf("/u"))).toEqual(["create 0 -", ...updates]);
  });

  it("shows an expiry, also of a directory and of what is in it", async () => {
    await etcd.createNode("/e", null, { dir: true, ttl: 1 });
    const { node } = await etcd.setNode("/e/a", "1");
    await etcd.watchNode("/e", { waitIndex: node.modifiedIndex + 1 });
    expect(shown(await changesOf("/e"))).toEqual(["create dir -", "expire dir dir"]);
    expect(shown(await changesOf("/e/a"))).toEqual(["set 1 -", "expire - 1"]);
    expect((await etcd.at(node.modifiedIndex).getNode("/e")).node.ttl ?? 0).toBeLessThanOrEqual(0);
  });

  it.each([MESSAGE, 2 * MESSAGE + 1])(
    "misses nothing of a removed key with %i changes",
    async (count) => {
      const key = `/many/${count}`;
      await manyPuts(key, count - 1);
      await tool.del(key);
      const changes = await changesOf(key);
      expect([changes.length, changes.at(-1)?.action]).toEqual([count, "delete"]);
    },
  );

  it("shows every change at and below a directory, also of what was removed", async () => {
    await etcd.setNode("/t/d/a", "1");
    for (const beside of ["/t-", "/t/d-", "/t/d0", "/t/_h", "/t/d/_h/a"]) {
      await tool.put(beside, "beside");
    }
    await etcd.updateNode("/t/d/a", "2");
    await etcd.createNode("/t/d/e", null, { dir: true });
    await etcd.deleteNode("/t", { recursive: true });
    const below = [
      "/t/d: create dir -",
      "/t/d/a: set 1 -",
      "/t/d/a: update 2 1",
      "/t/d/e: create dir -",
      "/t/d: delete dir dir /t",
      "/t/d/a: delete - 2 /t",
      "/t/d/e: delete dir dir /t",
    ];
    expect(await shownBelow("/t/d")).toEqual(below);
    expect(await shownBelow("/t/d/a")).toEqual(below.filter((line) => line.startsWith("/t/d/a")));
    expect(await shownBelow("/t/none")).toEqual([]);
    expect(await shownBelow("/d", etcd.namespace("/t"))).toEqual(
      below.map((line) => line.replace(/^\/t/, "").replace(/ \/t$/, " /")),
    );
    const ofAll = await shownBelow("/");
    expect(ofAll.filter((line) => line.startsWith("/t/d"))).toEqual([
      below[0],
      below[1],
      "/t/d-: set beside -",
      "/t/d0: set beside -",
      ...below.slice(2, 5),
      "/t/d-: delete - beside /t",
      below[5],
      below[6],
      "/t/d0: delete - beside /t",
    ]);
    expect(ofAll.filter((line) => line.includes("/_"))).toEqual([]);
  });

  it("ends for a removed key beside one that has changed often since", async () => {
    await etcd.setNode("/beside/a", "1");
    await etcd.deleteNode("/beside/a");
    await manyPuts("/beside/b", MESSAGE);
    expect(shown(await changesOf("/beside/a"))).toEqual(["set 1 -", "delete - 1"]);
    expect(await shownBelow("/beside/a")).toEqual(["/beside/a: set 1 -", "/beside/a: delete - 1"]);
    expect(await changesOf("/beside", etcd, true)).toHaveLength(MESSAGE + 3);
  });

  it("reads changes below a directory that are too large for one message", async () => {
    const value = "x".repeat(900_000);
    for (const name of ["a", "b", "c", "d", "e"]) await tool.put(`/large/${name}`, value);
    const urls = cluster.urls;
    await using small = new EtcdClient({ urls, api: "v3", maxResponseSize: 3 * 1024 * 1024 });
    expect(await changesOf("/large", small, true)).toHaveLength(5);
  });

  it("ends when a message has one change of a removed directory, and only hidden ones after it", async () => {
    await etcd.setNode("/ends/d/a", "1");
    await manyPuts("/ends/d/_h", MESSAGE);
    await etcd.deleteNode("/ends/d", { recursive: true });
    await etcd.setNode("/ends/e", "1");
    expect(await shownBelow("/ends/d")).toHaveLength(4);
  });

  it("proves that a key has never existed, wherever it stands in the order of keys", async () => {
    for (const key of ["/many/none", "/0", "/zzz", "/h/a/none/below", "/many/1000/none"]) {
      expect(await changesOf(key)).toEqual([]);
    }
    const history = await etcd.history("/");
    expect(history.firstIndex).toBe(history.lastIndex + 1);
  });

  it("lists a directory as it was, page by page", async () => {
    const keys = Array.from({ length: 1_100 }, (_, at) => `/list/${at}`);
    await Promise.all(keys.map((key) => tool.put(key, "before")));
    const index = await currentIndex();
    await tool.delPrefix("/list/");
    await etcd.setNode("/list/new", "after");
    const { node } = await etcd.at(index).getNode("/list", { recursive: true });
    expect(node.nodes).toHaveLength(1_100);
    expect(new Set(node.nodes?.map(({ value }) => value))).toEqual(new Set(["before"]));
    expect((await etcd.getNode("/list")).node.nodes).toHaveLength(1);
  });

  it("refuses an index after the current one, writes and watches", async () => {
    const index = await currentIndex();
    await expect(etcd.at(index + 1).getNode("/")).rejects.toMatchObject({
      errorCode: 209,
      detail: `index ${index + 1} is after the current index ${index}`,
    });
    const past = etcd.at(index);
    await expect(past.setNode("/a", "1")).rejects.toThrow("at: the past can only be read");
    await expect(past.watchNode("/a")).rejects.toThrow("at: the past can only be read");
    await expect(past.watch("/a").next()).rejects.toThrow("at: the past can only be read");
    expect(() => etcd.at(0)).toThrow("index: must be an integer from 1");
  });

  it("keeps to a namespace", async () => {
    await etcd.setNode("/n/d/a", "1");
    await etcd.deleteNode("/n/d", { recursive: true });
    const space = etcd.namespace("/n");
    expect(shown(await changesOf("/d/a", space))).toEqual(["set 1 -", "delete - 1 /d"]);
    const [first] = await changesOf("/d/a", space);
    expect((await space.at(first?.index ?? 0).getNode("/d/a")).node).toMatchObject({
      key: "/d/a",
      value: "1",
    });
  });

  it("says from which index on etcd still has the past", async () => {
    await etcd.setNode("/c/a", "1");
    const { node } = await etcd.setNode("/c/a", "2");
    await etcd.setNode("/c/gone", "1");
    const compacted = await currentIndex();
    await etcd.deleteNode("/c/gone");
    await etcd.setNode("/c/a", "3");
    const full = await etcd.history("/c/a");
    await tool.ask("kv/compaction", { revision: compacted - OFFSET, physical: true });
    const history = await etcd.history("/c/a");
    expect([history.firstIndex, history.initial?.value]).toEqual([compacted + 1, "2"]);
    expect([full.isComplete, history.isComplete]).toEqual([true, false]);
    expect(shown(await changesOf("/c/a"))).toEqual(["set 3 2"]);
    expect(shown(await changesOf("/c/gone"))).toEqual(["delete - 1"]);
    expect(await changesOf("/c/none")).toEqual([]);
    expect(await changesOf("/h/a")).toEqual([]);
    expect(await shownBelow("/c")).toEqual(["/c/gone: delete - 1", "/c/a: set 3 2"]);
    expect((await etcd.history("/c", { recursive: true })).initial).toBe(undefined);
    expect(await shownBelow("/list")).toEqual([]);
    expect((await etcd.at(compacted).getNode("/c/a")).node.value).toBe("2");
    for (const index of [node.modifiedIndex, OFFSET, 1]) {
      await expect(etcd.at(index).getNode("/c/a")).rejects.toMatchObject({
        errorCode: 401,
        detail: `the requested history has been cleared [${compacted}/${index}]`,
      });
    }
  });

  it("refuses changes that etcd compacts while they are read", async () => {
    await etcd.setNode("/r", "1");
    const changes = await etcd.history("/r");
    const all = await etcd.history("/", { recursive: true });
    await etcd.setNode("/r", "2");
    await tool.ask("kv/compaction", { revision: (await currentIndex()) - OFFSET, physical: true });
    await expect(changes[Symbol.asyncIterator]().next()).rejects.toMatchObject({ errorCode: 401 });
    await expect(all[Symbol.asyncIterator]().next()).rejects.toMatchObject({ errorCode: 401 });
    const stop = new AbortController();
    const { node } = await etcd.setNode("/r", "3");
    const aborted = await etcd.history("/r", { signal: stop.signal });
    expect(aborted.lastIndex).toBe(node.modifiedIndex);
    stop.abort();
    await expect(aborted[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "ABORT_ERR",
    });
  });
}
