import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, test } from "vitest";
import { EtcdClient, type WatchFailureTrace } from "../../src/index.js";
import { SimulatedClock } from "../support/simulated-clock.js";
import { SimulatedCluster } from "./simulated-cluster.js";

test("a watch that no member serves reports each failure, with the delay until its next attempt", async () => {
  const clock = new SimulatedClock();
  const keySpace = new SimulatedCluster(clock, () => 0.5, "etcd");
  const etcd = new EtcdClient({ keySpace, clock });
  const failures: WatchFailureTrace[] = [];
  const onFailure = (failure: unknown): void => void failures.push(failure as WatchFailureTrace);
  subscribe("etcdnet:watch-failure", onFailure);
  try {
    const watcher = etcd.watch("/w", { initial: true });
    const next = watcher.next();
    next.catch(() => {});
    await clock.pass(1_000);
    expect(failures).toEqual([]);
    expect(watcher.lastError).toBeUndefined();
    keySpace.refuses = true;
    for (const watch of keySpace.watches) watch.cut();
    await clock.pass(30_000);
    expect(failures.length).toBeGreaterThan(8);
    const cause = { name: "ClusterUnavailableError" };
    expect(watcher.lastError).toBe(failures.at(-1)?.cause);
    for (const failure of failures) expect(failure).toMatchObject({ operation: "watch /w", cause });
    expect(Math.max(...failures.map(({ retryAfter }) => retryAfter))).toBeLessThanOrEqual(4_000);
    keySpace.heal();
    failures.length = 0;
    await clock.pass(30_000);
    expect(failures).toEqual([]);
    expect(watcher.lastError).toBeUndefined();
  } finally {
    unsubscribe("etcdnet:watch-failure", onFailure);
    await etcd.close();
  }
});
