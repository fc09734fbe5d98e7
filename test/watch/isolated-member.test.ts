import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, test, vi } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";

const POLL_INTERVAL = 1_000;
const WRITE_TIMEOUT = 1_000;

describeWithEtcd("3.4", "a member that loses the connection to its cluster", () => {
  test("is detected within pollInterval and one timeout, and the watch continues afterwards", async () => {
    await using cluster = await startEtcd({ release: "3.4", members: 3 });
    const [isolated, ...others] = cluster.members;
    await using etcd = new EtcdClient({ urls: [isolated.url], writeTimeout: WRITE_TIMEOUT });
    const watcher = etcd.watch("/a", { initial: true, pollInterval: POLL_INTERVAL });
    await watcher.next();
    await Promise.all(others.map((member) => member.kill()));
    const failedAt = nextFailure();
    const stoppedAt = performance.now();
    expect((await failedAt) - stoppedAt).toBeLessThan(POLL_INTERVAL + WRITE_TIMEOUT + 500);
    expect(watcher.currentAt).toBeLessThan(stoppedAt + 500);
    await Promise.all(others.map((member) => member.start()));
    await using writer = new EtcdClient({ urls: cluster.urls });
    const { node } = await vi.waitFor(() => writer.setNode("/a", "b"), 60_000);
    expect(await watcher.next()).toMatchObject({ value: { type: "change", response: { node } } });
  });

  test("is replaced by another member, which delivers the change", async () => {
    await using cluster = await startEtcd({ release: "3.4", members: 3 });
    const proxies = await Promise.all(cluster.urls.map((url) => FaultProxy.before(url)));
    await using etcd = new EtcdClient({
      urls: proxies.map(({ url }) => url),
      writeTimeout: WRITE_TIMEOUT,
      requestTimeout: WRITE_TIMEOUT,
    });
    const watcher = etcd.watch("/a", { initial: true, pollInterval: POLL_INTERVAL });
    await watcher.next();
    const { etcdServer } = await etcd.getNode("/");
    const pinned = proxies.find(({ url }) => url === etcdServer);
    await pinned?.become("hang");
    await using writer = new EtcdClient({ urls: cluster.urls });
    const { node } = await writer.setNode("/a", "b");
    const startedAt = performance.now();
    expect(await watcher.next()).toMatchObject({ value: { type: "change", response: { node } } });
    expect(performance.now() - startedAt).toBeLessThan(POLL_INTERVAL + 2 * WRITE_TIMEOUT + 500);
    await etcd.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  });
});

/** Resolves with the time of the next failed attempt. */
function nextFailure(): Promise<number> {
  return new Promise((resolve) => {
    const onFailure = (): void => {
      unsubscribe("etcdnet:failover", onFailure);
      resolve(performance.now());
    };
    subscribe("etcdnet:failover", onFailure);
  });
}
