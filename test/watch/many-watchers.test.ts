import { setImmediate } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";

const WATCHERS = 1_000;
/** For the calls of the same client: the probes. */
const CALLS = 16;

describeWithEtcd("3.4", "1,000 watchers of one client", () => {
  test("use at most one connection each, hear their changes, and are freed by close()", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using proxy = await FaultProxy.before(cluster.urls[0]);
    await using writer = new EtcdClient({ urls: cluster.urls });
    const before = resources();
    await using etcd = new EtcdClient({ urls: [proxy.url], maxConnections: CALLS });
    const told = Array.from({ length: WATCHERS }, (_, n) => etcd.watch(`/many/${n}`));
    await vi.waitFor(() => expect(told.every(({ index }) => index > 0)).toBe(true), 20_000);
    const first = told.map((watcher) => watcher.next());
    await Promise.all(told.map((_, n) => writer.setNode(`/many/${n}`, "x")));
    for (const { value } of await Promise.all(first))
      expect(value).toMatchObject({ type: "change" });
    expect(proxy.peak).toBeLessThanOrEqual(WATCHERS + CALLS);
    const waiting = told.map((watcher) => watcher.next());
    const ended = Promise.allSettled(waiting);
    const closedAt = performance.now();
    await etcd.close();
    const results = await ended;
    await vi.waitFor(() => expect(proxy.open).toBe(0), { timeout: 5_000, interval: 5 });
    const took = Math.round(performance.now() - closedAt);
    console.info(`peak of ${proxy.peak} connections, closed within ${took} ms`);
    expect(took).toBeLessThan(100);
    for (const result of results) {
      expect(result).toMatchObject({ status: "rejected", reason: { name: "AbortError" } });
    }
    await writer.close();
    await proxy.close();
    await setImmediate();
    await vi.waitFor(() => expect(resources()).toEqual(before));
  });
});

/** What keeps a process alive: sockets and timers, by kind. */
function resources(): readonly string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => /TCP|TLS|Timeout/.test(kind))
    .sort();
}
