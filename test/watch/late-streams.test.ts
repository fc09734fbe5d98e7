import { expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { SimulatedClock } from "../support/simulated-clock.js";
import { SimulatedCluster } from "./simulated-cluster.js";

/** Milliseconds from each change to its delivery, while new streams deliver nothing. */
async function delaysOf(streams: "dead" | "buffered", changes: number): Promise<readonly number[]> {
  const clock = new SimulatedClock();
  const cluster = new SimulatedCluster(clock, () => 0.5, "etcd");
  cluster.commit("set", "/w");
  cluster.proxy.streams = streams;
  const etcd = new EtcdClient({ keySpace: cluster, clock });
  const deliveredAt: number[] = [];
  const reading = (async () => {
    for await (const item of etcd.watch("/w", { recursive: true, initial: true })) {
      if (item.type === "change") deliveredAt.push(clock.monotonic());
    }
  })().catch(() => {});
  const changedAt: number[] = [];
  for (let n = 0; n < changes; n++) {
    await clock.pass(10_000);
    changedAt.push(clock.monotonic());
    cluster.commit("set", `/w/${n}`);
  }
  await clock.pass(10_000);
  await etcd.close();
  await reading;
  expect(deliveredAt).toHaveLength(changes);
  return changedAt.map((at, n) => Number(deliveredAt[n]) - at);
}

test.each(["dead", "buffered"] as const)(
  "after two streams that are %s, long polls deliver each change at once",
  async (streams) => {
    const [first, second, ...later] = await delaysOf(streams, 5);
    for (const delay of [first, second]) expect(delay).toBeLessThan(6_000);
    for (const delay of later) expect(delay).toBeLessThan(200);
  },
);
