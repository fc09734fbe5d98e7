/** Deliberate differences from EtcdNet that are not fixed defects. */

import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { AbortError, EtcdClient, ProtocolError, TimeoutError } from "../../src/index.js";
import { GOOD_GET, reply, startOddServer } from "../odd-server.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { testPoints } from "./guide.js";

describeWithEtcd("3.4", "a difference to EtcdNet", () => {
  let cluster: EtcdCluster;
  let proxy: FaultProxy;
  /** By the proxy. */
  let etcd: EtcdClient;
  let direct: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    proxy = await FaultProxy.before(cluster.urls[0] ?? "");
    etcd = new EtcdClient({ urls: [proxy.url] });
    direct = new EtcdClient({ urls: cluster.urls });
  });
  afterAll(async () => {
    await etcd.close();
    await direct.close();
    await proxy.close();
    await cluster.stop();
  });

  const untilWatched = (): Promise<void> =>
    vi.waitFor(async () => expect((await direct.stats.store()).watchers).toBe(1), 60_000);

  testPoints("Deliberate differences", {
    "A watch that breaks resumes": async () => {
      const watch = etcd.watchNode("/resumed");
      await untilWatched();
      await proxy.become("hang");
      await direct.setNode("/resumed", "first");
      await direct.setNode("/resumed", "second");
      await proxy.become("pass");
      expect((await watch).node.value).toBe("first");
    },

    "Calls are bounded in time, watches are not": async () => {
      const limits = { requestTimeout: 1_000, writeTimeout: 1_000, timeout: 1_000 };
      await using silent = await startOddServer(() => {});
      await using waiting = new EtcdClient({ urls: [silent.url], ...limits });
      const read = waiting.getNode("/a");
      const write = waiting.setNode("/a", "1");
      await using watching = new EtcdClient({ urls: cluster.urls, ...limits });
      const watch = watching.watchNode("/patient");
      // At once: either may be the first.
      await Promise.all([
        expect(read).rejects.toBeInstanceOf(TimeoutError),
        expect(write).rejects.toHaveProperty("cause", expect.any(TimeoutError)),
      ]);
      await delay(limits.timeout);
      await untilWatched();
      await direct.setNode("/patient", "1");
      expect((await watch).node.value).toBe("1");
    },

    "Options are named": async () => {
      const before = proxy.requests.length;
      const habits = [20, true, null, { TTL: 20 }, { ignoreKeyNotFoundException: true }];
      for (const habit of habits) {
        // @ts-expect-error not options
        await expect(etcd.setNode("/a", "1", habit)).rejects.toThrow(TypeError);
        // @ts-expect-error not options
        await expect(etcd.getNode("/a", habit)).rejects.toThrow(TypeError);
        // @ts-expect-error not options
        await expect(etcd.deleteNode("/a", habit)).rejects.toThrow(TypeError);
        // @ts-expect-error not options
        await expect(etcd.watchNode("/a", habit)).rejects.toThrow(TypeError);
      }
      expect(proxy.requests).toHaveLength(before);
    },

    "A missing value is refused": async () => {
      const before = proxy.requests.length;
      for (const value of [null, undefined]) {
        for (const write of ["setNode", "createNode", "updateNode", "createInOrderNode"] as const) {
          // @ts-expect-error not values
          await expect(etcd[write]("/a", value)).rejects.toThrow(TypeError);
        }
        // @ts-expect-error not values
        const swap = etcd.compareAndSwapNode("/a", { prevValue: "1" }, value);
        await expect(swap).rejects.toThrow(TypeError);
      }
      expect(proxy.requests).toHaveLength(before);
    },

    "Keys are checked": async () => {
      const before = proxy.requests.length;
      for (const key of ["a", "//a", "/a//b", "/a/./b", "/a/../b", "/.."]) {
        await expect(etcd.setNode(key, "1")).rejects.toThrow(TypeError);
        await expect(etcd.watchNode(key)).rejects.toThrow(TypeError);
      }
      expect(proxy.requests).toHaveLength(before);
    },

    "Numbers are exact": async () => {
      const beyond = GOOD_GET.replace('"modifiedIndex":7', '"modifiedIndex":9007199254740993');
      await using server = await startOddServer(reply(200, beyond));
      await using reader = new EtcdClient({ urls: [server.url] });
      await expect(reader.getNode("/a")).rejects.toBeInstanceOf(ProtocolError);
    },

    "A client must be closed": async () => {
      const closing = new EtcdClient({ urls: cluster.urls });
      const watch = closing.watchNode("/never");
      await untilWatched();
      await closing.close();
      await expect(watch).rejects.toBeInstanceOf(AbortError);
      await expect(closing.getNode("/")).rejects.toThrow("closed");
    },
  });
});
