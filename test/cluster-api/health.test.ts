import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";

/** Since 3.5, etcd returns a reason. */
const NO_LEADER = {
  "3.4": {},
  "3.5": { reason: "RAFT NO LEADER" },
} as const;

for (const release of ["3.4", "3.5"] as const) {
  describeEtcdSideBySide(release, `the health of etcd ${release}`, () => {
    let cluster: EtcdCluster;
    let etcd: EtcdClient;
    beforeAll(async () => {
      cluster = await startEtcd({ release, members: 3 });
      etcd = new EtcdClient({ urls: cluster.urls });
    });
    afterAll(async () => {
      await etcd.close();
      await cluster.stop();
    });

    const healthOf = async (url: string) =>
      (await etcd.health()).find(({ endpoint }) => endpoint === url);

    test("is reported for every endpoint", async () => {
      const health = await etcd.health();
      expect(health).toHaveLength(3);
      for (const endpoint of cluster.urls) {
        expect(health).toContainEqual({ endpoint, healthy: true });
      }
    });

    test("is bad at a member that is down, with the reason, and good at the others", async ({
      expect,
    }) => {
      const [down, up, alsoUp] = cluster.members;
      await down.kill();
      expect(await healthOf(down.url)).toEqual({
        endpoint: down.url,
        healthy: false,
        reason: expect.stringContaining("ECONNREFUSED"),
      });
      // The leader may have been the one that is down: the others agree on another one soon.
      for (const { url } of [up, alsoUp].filter((member) => member !== undefined)) {
        await expect.poll(() => healthOf(url)).toEqual({ endpoint: url, healthy: true });
      }
    });

    test("is bad at a member without a quorum and a leader", async ({ expect }) => {
      const [, lost, last] = cluster.members;
      await lost?.kill();
      const url = last?.url ?? "";
      await expect
        .poll(() => healthOf(url))
        .toEqual({ endpoint: url, healthy: false, ...NO_LEADER[release] });

      await using alone = new EtcdClient({ urls: [url] });
      await expect(alone.members.leader()).rejects.toMatchObject({
        name: "AdminError",
        status: 503,
        detail: "During election",
      });
      await expect(alone.stats.leader()).rejects.toMatchObject({ detail: "not current leader" });
      expect(await alone.members.list()).toHaveLength(3);
    });
  });
}
