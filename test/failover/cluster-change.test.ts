import { afterAll, beforeAll, expect, test } from "vitest";
import { type ClusterChange, EtcdClient } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { watchStands } from "./watch-stands.js";

describeWithEtcd("3.4", "a client whose endpoint leads to another cluster of a sudden", () => {
  let first: EtcdCluster;
  let second: EtcdCluster;

  beforeAll(async () => {
    [first, second] = await Promise.all([
      startEtcd({ release: "3.4" }),
      startEtcd({ release: "3.4" }),
    ]);
    await using one = new EtcdClient({ urls: first.urls });
    await using two = new EtcdClient({ urls: second.urls });
    for (let count = 0; count < 200; count++) await one.setNode("/file", String(count));
    await two.setNode("/file", "another");
  });

  afterAll(async () => {
    await first?.stop();
    await second?.stop();
  });

  /** Moves a client from the first cluster to the second. Returns what the client noticed. */
  async function move(call: (etcd: EtcdClient) => Promise<unknown>) {
    await using proxy = await FaultProxy.before(first.urls[0] ?? "");
    await using etcd = new EtcdClient({ urls: [proxy.url] });
    const changes: ClusterChange[] = [];
    etcd.on("clusterChanged", (change) => changes.push(change));
    expect(etcd.clusterId).toBeUndefined();
    expect(etcd.lastIndex).toBe(0);
    const before = await etcd.getNode("/file");
    expect(etcd.clusterId).toBe(before.etcdClusterId);
    expect(etcd.lastIndex).toBe(before.etcdIndex);
    expect(changes).toEqual([]);
    proxy.target = second.urls[0] ?? "";
    await proxy.cut();
    await call(etcd).catch(() => {});
    await using direct = new EtcdClient({ urls: second.urls });
    const now = await direct.getNode("/");
    expect(now.etcdIndex).toBeLessThan(before.etcdIndex);
    expect(changes).toEqual([
      { from: before.etcdClusterId, to: now.etcdClusterId, etcdServer: proxy.url },
    ]);
    expect(etcd.clusterId).toBe(now.etcdClusterId);
    expect(etcd.lastIndex).toBe(now.etcdIndex);
  }

  test("notices it in a read", () => move((etcd) => etcd.getNode("/file")));

  test("notices it in a write", () => move((etcd) => etcd.setNode("/file", "x")));

  test("notices it in an event", () => move((etcd) => etcd.watchNode("/file", { waitIndex: 1 })));

  test("does not continue to wait for an index of the old cluster", async () => {
    await using proxy = await FaultProxy.before(first.urls[0] ?? "");
    await using etcd = new EtcdClient({ urls: [proxy.url] });
    const [stands, event] = [watchStands(), etcd.watchNode("/moved")];
    await stands;
    const standsAgain = watchStands();
    proxy.target = second.urls[0] ?? "";
    await proxy.cut();
    await standsAgain;
    await using direct = new EtcdClient({ urls: second.urls });
    // The test cannot see whether the watch is reopened, so it sets the key until it is.
    let delivered = false;
    event.then(() => {
      delivered = true;
    });
    await expect
      .poll(
        async () => {
          await direct.setNode("/moved", "x");
          return delivered;
        },
        { timeout: 3_000 },
      )
      .toBe(true);
    expect((await event).etcdClusterId).toBe((await direct.getNode("/")).etcdClusterId);
  });

  test("notices it in an error: a new cluster is empty", () =>
    move((etcd) => etcd.getNode("/missing")));
});
