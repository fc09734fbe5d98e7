import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

describeWithEtcd("3.4", "what a cluster tells of itself", () => {
  let cluster: EtcdCluster;
  let etcd: EtcdClient;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", members: 3 });
    etcd = new EtcdClient({ urls: cluster.urls });
  });
  afterAll(async () => {
    await etcd.close();
    await cluster.stop();
  });

  const followerUrls = async () => {
    const leader = await etcd.members.leader();
    return cluster.urls.filter((url) => !leader.clientURLs.includes(url));
  };

  test("its machines are the client URLs of all members, sorted", async () => {
    expect(await etcd.machines()).toEqual([...cluster.urls].sort());
  });

  test("its version is that of the member and that of the cluster", async () => {
    // Healthy members agree on their version a moment later.
    await expect
      .poll(() => etcd.version())
      .toEqual({
        etcdserver: expect.stringMatching(/^3\.4\.\d+/),
        etcdcluster: "3.4.0",
      });
  });

  test("the statistics of its leader are found from any member", async () => {
    const leader = await etcd.members.leader();
    const ids = (await etcd.members.list()).map(({ id }) => id).filter((id) => id !== leader.id);
    const orders = cluster.urls.map((url) => [url, ...cluster.urls.filter((u) => u !== url)]);
    for (const urls of orders) {
      await using client = new EtcdClient({ urls });
      const stats = await client.stats.leader();
      expect(stats.leader).toBe(leader.id);
      expect(Object.keys(stats.followers).sort()).toEqual(ids.sort());
      expect(stats.followers[ids[0] ?? ""]).toEqual({
        latency: {
          current: expect.any(Number),
          average: expect.any(Number),
          standardDeviation: expect.any(Number),
          minimum: expect.any(Number),
          maximum: expect.any(Number),
        },
        counts: { fail: expect.any(Number), success: expect.any(Number) },
      });
    }
  });

  test("a follower as the only endpoint reports that it is not the leader", async () => {
    const [url = ""] = await followerUrls();
    await using follower = new EtcdClient({ urls: [url] });
    await expect(follower.stats.leader()).rejects.toMatchObject({
      name: "AdminError",
      status: 403,
      detail: "not current leader",
    });
  });

  test("followers as the only endpoints are all named in the error", async () => {
    const urls = await followerUrls();
    await using followers = new EtcdClient({ urls });
    await expect(followers.stats.leader()).rejects.toMatchObject({
      name: "ClusterUnavailableError",
      attempts: expect.arrayContaining(
        urls.map((endpoint) =>
          expect.objectContaining({
            endpoint,
            cause: expect.objectContaining({ name: "AdminError", detail: "not current leader" }),
          }),
        ),
      ),
    });
  });

  test("a follower stays in use after a request to its leader", async () => {
    // The first endpoint is random, so there are several clients.
    for (let asked = 0; asked < 6; asked++) {
      await using client = new EtcdClient({ urls: cluster.urls });
      const { etcdServer } = await client.getNode("/");
      await client.stats.leader();
      expect(await client.getNode("/")).toMatchObject({ etcdServer });
    }
  });

  test("a member returns its own statistics", async () => {
    const [member] = cluster.members;
    await using client = new EtcdClient({ urls: [member.url] });
    const { id: leader } = await client.members.leader();
    expect(await client.stats.self()).toMatchObject({
      name: member.name,
      id: expect.stringMatching(/^[0-9a-f]{1,16}$/),
      state: expect.stringMatching(/^State(Leader|Follower)$/),
      startTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      leaderInfo: { leader, uptime: expect.any(String), startTime: expect.any(String) },
      recvAppendRequestCnt: expect.any(Number),
      sendAppendRequestCnt: expect.any(Number),
    });
  });

  test("a member counts its operations and watchers", async () => {
    await using client = new EtcdClient({ urls: cluster.urls.slice(0, 1) });
    const before = await client.stats.store();
    await client.setNode("/counted", "1");
    await client.compareAndSwapNode("/counted", { prevValue: "1" }, "2");
    await client.deleteNode("/counted");
    const seen = new AbortController();
    const watching = client.watchNode("/counted", { signal: seen.signal });
    await expect.poll(async () => (await client.stats.store()).watchers).toBe(before.watchers + 1);
    const after = await client.stats.store();
    expect(after.setsSuccess).toBe(before.setsSuccess + 1);
    expect(after.compareAndSwapSuccess).toBe(before.compareAndSwapSuccess + 1);
    expect(after.deleteSuccess).toBe(before.deleteSuccess + 1);
    seen.abort();
    await expect(watching).rejects.toThrow("aborted");
  });
});
