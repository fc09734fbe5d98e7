import { afterAll, beforeAll, expect, it } from "vitest";
import { EtcdClient, type EtcdClientOptions } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { ALICE, enableAuth } from "./v3-auth.js";
import { V3Tool } from "./v3-tools.js";

for (const release of ["3.4", "3.6", "3.7"] as const) {
  describeWithEtcd(release, `with v3 auth on, a client of etcd ${release}`, () => {
    let cluster: EtcdCluster;
    let proxies: readonly FaultProxy[];
    beforeAll(async () => {
      cluster = await startEtcd({ release, v2: false, members: 3 });
      proxies = await Promise.all(cluster.urls.map((url) => FaultProxy.before(url)));
      const tool = new V3Tool(cluster.urls);
      await enableAuth(tool);
      tool.close();
    });
    afterAll(async () => {
      await Promise.all((proxies ?? []).map((proxy) => proxy.close()));
      await cluster?.stop();
    });

    const clientWith = (options: EtcdClientOptions): EtcdClient =>
      new EtcdClient({ ...ALICE, api: "v3", keyPrefix: "/alice", ...options });

    it("learns the members by autoSync", async () => {
      const [seed = ""] = proxies.map(({ url }) => url);
      // A healthy member may not have published its URLs yet.
      await using any = clientWith({ urls: cluster.urls });
      const published = async (): Promise<readonly string[]> =>
        (await any.members.list()).flatMap(({ clientURLs }) => clientURLs).sort();
      await expect.poll(published).toEqual([...cluster.urls].sort());
      await using etcd = clientWith({ urls: [seed], autoSync: true });
      await etcd.setNode("/a", "1");
      const endpoints = async (): Promise<readonly string[]> =>
        (await etcd.health()).map(({ endpoint }) => endpoint).sort();
      await expect.poll(endpoints).toEqual([seed, ...cluster.urls].sort());
    });

    it("finds the leader and stays with it", async () => {
      await using any = clientWith({ urls: cluster.urls });
      const urls = proxies.map(({ url }) => url);
      // Each client starts with a random endpoint. Ten of them are unlikely to start with the leader by chance.
      for (let round = 0; round < 10; round++) {
        const [leader = ""] = (await any.members.leader()).clientURLs;
        const expected = urls[cluster.urls.indexOf(leader)];
        await using etcd = clientWith({ urls, endpointSelection: "leader" });
        expect((await etcd.setNode("/a", `${round}`)).etcdServer).toBe(expected);
      }
    });
  });
}
