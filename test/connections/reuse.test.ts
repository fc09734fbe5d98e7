import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";

for (const tls of [false, true]) {
  describeWithEtcd("3.4", `a connection ${tls ? "over TLS" : "in plain"}`, () => {
    let cluster: EtcdCluster;
    let proxy: FaultProxy;
    let etcd: EtcdClient;
    beforeAll(async () => {
      cluster = await startEtcd({ release: "3.4", tls });
      proxy = await FaultProxy.before(cluster.urls[0]);
      etcd = new EtcdClient({ urls: [proxy.url], ...(cluster.ca && { ca: cluster.ca }) });
    });
    afterAll(async () => {
      await etcd.close();
      await proxy.close();
      await cluster.stop();
    });

    test("carries one call after the other, also failed ones", async () => {
      for (let i = 0; i < 50; i++) {
        await etcd.setNode("/a", `${i}`);
        await etcd.getNode("/a");
        await expect(etcd.getNode("/missing")).rejects.toThrow("Key not found");
      }
      await etcd.members.list();
      expect(proxy.connections).toBe(1);
    });

    test("is not used for a write after the member restarted", async () => {
      const [member] = cluster.members;
      for (const end of [() => member.stop(), () => member.kill()]) {
        await etcd.setNode("/a", "before");
        await end();
        await member.start();
        expect(await etcd.setNode("/a", "after")).toMatchObject({
          prevNode: { value: "before" },
        });
      }
    });

    test("is closed with its aborted watch", async () => {
      const watches = Array.from({ length: 5 }, async () => {
        const signal = AbortSignal.timeout(20);
        await expect(etcd.watchNode("/never", { signal })).rejects.toThrow("aborted");
      });
      await Promise.all(watches);
      await etcd.setNode("/a", "after");
      await expect.poll(() => proxy.open).toBeLessThanOrEqual(2);
    });
  });
}
