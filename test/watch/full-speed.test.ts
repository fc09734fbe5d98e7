import { expect, test } from "vitest";
import { EtcdClient, type WatchItem } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { makeChanges } from "./changes.js";

const CHANGES = Number(process.env.ETCDNET_WATCH_CHANGES ?? 15_000);

describeWithEtcd("3.4", "a watch that replaces its streams while writers run at full speed", () => {
  test("delivers every change, or a resync if etcd drops its reader on an overloaded machine", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using writer = new EtcdClient({ urls: cluster.urls });
    await using etcd = new EtcdClient({ urls: cluster.urls });
    const watcher = etcd.watch("/watched", { recursive: true, initial: true, pollInterval: 300 });
    expect((await watcher.next()).value).toMatchObject({ reason: "initial" });
    const items: WatchItem[] = [];
    const reading = (async () => {
      for await (const item of watcher) {
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
    let expected = [...written, node.modifiedIndex];
    for (const item of items) {
      if (item.type === "resync") expected = expected.filter((index) => index > item.index);
      else expect(item.response.node.modifiedIndex).toBe(expected.shift());
    }
    expect(expected).toEqual([]);
  });
});
