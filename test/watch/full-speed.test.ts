import { expect, test } from "vitest";
import { EtcdClient, type WatchItem } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { makeChanges } from "./changes.js";

const CHANGES = Number(process.env.ETCDNET_WATCH_CHANGES ?? 15_000);

describeWithEtcd("3.4", "a watch whose streams are replaced while writers go at full speed", () => {
  test("misses nothing, or says so: etcd itself drops readers on a machine without breath", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using writer = new EtcdClient({ urls: cluster.urls });
    await using etcd = new EtcdClient({ urls: cluster.urls });
    const told = etcd.watch("/watched", { recursive: true, initial: true, pollInterval: 300 });
    expect((await told.next()).value).toMatchObject({ reason: "initial" });
    const items: WatchItem[] = [];
    const reading = (async () => {
      for await (const item of told) {
        items.push(item);
        if (item.type === "change" && item.response.node.key === "/watched/end") break;
      }
    })();
    const startedAt = performance.now();
    const [written] = await Promise.all([
      makeChanges(writer, "/watched", CHANGES),
      makeChanges(writer, "/elsewhere", CHANGES),
    ]);
    const took = Math.round(performance.now() - startedAt);
    const { node } = await writer.setNode("/watched/end", "");
    await reading;
    const resyncs = items.filter(({ type }) => type === "resync").length;
    console.info(`${2 * CHANGES} changes in ${took} ms, ${resyncs} resyncs`);
    let owed = [...written, node.modifiedIndex];
    for (const item of items) {
      if (item.type === "resync") owed = owed.filter((index) => index > item.index);
      else expect(item.response.node.modifiedIndex).toBe(owed.shift());
    }
    expect(owed).toEqual([]);
  });
});
