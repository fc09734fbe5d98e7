import { expect, test, vi } from "vitest";
import { EtcdClient, type WatchItem } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { makeChanges } from "./changes.js";

describeWithEtcd("3.4", "a quiet watcher, connected through 100,000 changes elsewhere", () => {
  test("then cut off for fewer than 1,000, is told of its one change without a resync", async () => {
    expect(await afterCutOf(900)).toMatchObject({
      type: "change",
      response: { node: { key: "/quiet", value: "changed" } },
    });
  });

  test("then cut off for more, is told of it by exactly one resync", async () => {
    expect(await afterCutOf(3_000)).toMatchObject({
      type: "resync",
      reason: "history cleared",
      response: { node: { key: "/quiet", value: "changed" } },
    });
  });
});

/** What the watcher is told of a change amid so many others, made while it was cut off. */
async function afterCutOf(others: number): Promise<WatchItem> {
  await using cluster = await startEtcd({ release: "3.4" });
  await using writer = new EtcdClient({ urls: cluster.urls });
  await using proxy = await FaultProxy.before(cluster.urls[0]);
  await using etcd = new EtcdClient({ urls: [proxy.url] });
  const told = etcd.watch("/quiet", { initial: true });
  await told.next();
  const startedAt = performance.now();
  await makeChanges(writer, "/elsewhere", 100_000);
  const { etcdIndex } = await writer.getNode("/");
  const took = Math.round(performance.now() - startedAt);
  console.info(`100,000 changes in ${took} ms, the watcher is ${etcdIndex - told.index} behind`);
  await vi.waitFor(() => expect(told.index).toBeGreaterThanOrEqual(etcdIndex), 5_000);
  await proxy.become("refuse");
  await makeChanges(writer, "/elsewhere", Math.floor(others / 2));
  await writer.setNode("/quiet", "changed");
  await makeChanges(writer, "/elsewhere", Math.floor(others / 2));
  await proxy.become("pass");
  const { value } = await told.next();
  const { node } = await writer.setNode("/quiet", "last");
  expect(await told.next()).toMatchObject({
    value: { type: "change", response: { node: { modifiedIndex: node.modifiedIndex } } },
  });
  return value;
}
