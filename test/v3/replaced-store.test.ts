import { expect, it } from "vitest";
import { EtcdClient, Mirror, type WatchItem } from "../../src/index.js";
import { CachingKeySpace } from "../../src/key-space/decorators/caching-key-space.js";
import { StoreGeneration } from "../../src/key-space/v3/schema/store-generation.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { recordKey, SimulatedV3 } from "../support/simulated-v3.js";

const PATIENT = { timeout: 20_000 };

/** A store with this number of revisions. */
function storeAt(revision: number): SimulatedV3 {
  const etcd = new SimulatedV3();
  while (etcd.revision < revision) etcd.commit({ key: "/app/old", value: `${etcd.revision}` });
  return etcd;
}

/** An established watch, and its events. */
async function follow(client: EtcdClient, key: string): Promise<WatchItem[]> {
  const items: WatchItem[] = [];
  const watcher = client.watch(key, { recursive: true });
  void (async () => {
    for await (const item of watcher) items.push(item);
  })().catch(() => {});
  await expect.poll(() => watcher.index).toBeGreaterThan(0);
  return items;
}

it("another store with the same id causes one resync in each watch, and mirrors follow it", async () => {
  const etcd = storeAt(50);
  await using client = new EtcdClient({ keySpace: new V3KeySpace(etcd) });
  await using mirror = new Mirror(client, "/app");
  await mirror.ready;
  const watches = [await follow(client, "/app"), await follow(client, "/")];
  etcd.replace(1);
  etcd.commit({ key: "/app/new", value: "1" });
  for (const items of watches) await expect.poll(() => items.length, PATIENT).toBe(1);
  await expect.poll(() => [...mirror].map(({ key }) => key)).toEqual(["/app", "/app/new"]);
  etcd.commit({ key: "/app/new", value: "2" });
  for (const items of watches) {
    await expect.poll(() => items.length, PATIENT).toBe(2);
    const [resync, change] = items;
    expect(resync).toMatchObject({ type: "resync", reason: "cluster-changed", index: 2 });
    expect(change).toMatchObject({ response: { node: { key: "/app/new", value: "2" } } });
  }
  expect(mirror.get("/app/new")?.value).toBe("2");
});

it("later watches receive nothing of the lost store", async () => {
  const etcd = storeAt(50);
  const keySpace = new V3KeySpace(etcd, { oneEventPerPoll: true });
  (await keySpace.openWatch({ key: "/app", recursive: true })).close();
  etcd.commit({ key: "/app/old", value: "last" });
  await expect.poll(() => keySpace.metrics.index).toBe(51);
  etcd.replace(3);
  const poll = await keySpace.openWatch({ key: "/app", recursive: true });
  expect(poll.etcdIndex).toBe(3);
  // An index that only the lost store had reached is void. A later one waits.
  const lost = keySpace.openWatch({ key: "/app", waitIndex: 52 });
  await expect(lost).rejects.toMatchObject({ errorCode: 401, index: 3 });
  (await keySpace.openWatch({ key: "/app", waitIndex: 53 })).close();
  etcd.commit({ key: "/app/new", value: "1" });
  const events = [];
  for await (const event of poll) events.push(event.node.key);
  expect(events).toEqual(["/app/new"]);
  await keySpace.close();
});

it("pending watches end as soon as they are connected again", async () => {
  const etcd = storeAt(50);
  const keySpace = new V3KeySpace(etcd);
  const watch = await keySpace.openWatch({ key: "/app", recursive: true, stream: true });
  etcd.replace(10);
  const events = [];
  for await (const event of watch) events.push(event);
  expect(events).toEqual([]);
  await keySpace.close();
});

it("the index offset is that of the responding store", async () => {
  const etcd = storeAt(5);
  etcd.commit({ key: recordKey("offset"), value: "1000" });
  const keySpace = new V3KeySpace(etcd);
  const read = { action: "get", key: "/app", quorum: true } as const;
  expect((await keySpace.execute(read)).etcdIndex).toBe(1006);
  etcd.replace(4);
  expect((await keySpace.execute(read)).etcdIndex).toBe(4);
  const written = await keySpace.execute({ action: "set", key: "/app/a", value: "1" });
  expect(written.etcdIndex).toBe(etcd.revision);
  await keySpace.close();
});

it("a key space drops its cache of the lost store when another one on the same cluster notices the loss", async () => {
  const etcd = storeAt(5);
  const generation = new StoreGeneration();
  const keySpace = new V3KeySpace(etcd, { generation });
  const kept = new CachingKeySpace(new V3KeySpace(etcd, { generation }), etcd.clock);
  const read = { action: "get", key: "/app/old" } as const;
  await kept.execute(read);
  await expect.poll(() => etcd.streams.size).toBe(1);
  await kept.execute(read);
  for (let n = 0; n < 20; n++) etcd.commit({ key: "/other", value: "1" });
  await keySpace.execute({ ...read, quorum: true });
  // It is ahead of the cache, but not of the other key space.
  etcd.replace(1);
  for (let n = 0; n < 10; n++) etcd.commit({ key: "/other", value: "1" });
  await expect(keySpace.execute({ ...read, quorum: true })).rejects.toMatchObject({
    errorCode: 100,
  });
  await expect(kept.execute(read)).rejects.toMatchObject({ errorCode: 100 });
  await kept.close();
  await keySpace.close();
});

it("a member that lags is not another store", async () => {
  const etcd = storeAt(50);
  const keySpace = new V3KeySpace(etcd);
  const watch = await keySpace.openWatch({ key: "/app", recursive: true });
  etcd.lag = 40;
  etcd.cut();
  await expect.poll(() => etcd.opened.length).toBe(2);
  await keySpace.execute({ action: "get", key: "/app", quorum: true });
  etcd.commit({ key: "/app/a", value: "1" });
  etcd.catchUp();
  const keys = [];
  for await (const { node } of watch) keys.push(node.key);
  expect(keys).toEqual(["/app/a"]);
  await keySpace.close();
});
