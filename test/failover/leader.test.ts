import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, type EtcdClientOptions } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";

/** Longer than the client waits before it checks that a new leader is still the leader. */
const CONFIRMATION_MS = 1_100;

describeWithEtcd("3.4", 'endpointSelection: "leader"', () => {
  let cluster: EtcdCluster;
  let proxies: readonly FaultProxy[];
  let direct: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", members: 3 });
    proxies = await Promise.all(cluster.urls.map((url) => FaultProxy.before(url)));
    direct = new EtcdClient({ urls: cluster.urls });
  });

  afterAll(async () => {
    await direct?.close();
    await Promise.all((proxies ?? []).map((proxy) => proxy.close()));
    await cluster?.stop();
  });

  const connect = (options: Omit<EtcdClientOptions, "urls"> = {}): EtcdClient =>
    new EtcdClient({
      urls: proxies.map(({ url }) => url),
      endpointSelection: "leader",
      ...options,
    });

  /** Position of the current leader in the list of members. */
  async function leader(): Promise<number> {
    const { clientURLs } = await direct.members.leader();
    return cluster.urls.indexOf(clientURLs[0] ?? "");
  }

  test("all requests go to the leader", async () => {
    const place = await leader();
    // Each client starts with a random endpoint. Ten of them are unlikely to start with the leader by chance.
    for (let round = 0; round < 10; round++) {
      await using etcd = connect();
      await etcd.setNode("/file", String(round));
      await Promise.all([etcd.getNode("/file"), etcd.getNode("/file", { quorum: true })]);
    }
    const requests = proxies.map((proxy) => proxy.requests.filter((line) => /keys/.test(line)));
    expect(requests.map(({ length }) => length)).toEqual(
      proxies.map((_, at) => (at === place ? 30 : 0)),
    );
  });

  test.each([
    ["was just found", 0],
    ["was known for a long time", CONFIRMATION_MS],
  ])("the client follows the next leader after the death of one that %s", async (_name, known) => {
    // Many clients, because one in two would use the next leader by chance.
    const clients = Array.from({ length: 8 }, () => connect());
    const servers = () =>
      Promise.all(clients.map(async (etcd) => (await etcd.getNode("/file")).etcdServer));
    await servers();
    await setTimeout(known);
    await servers();
    const old = await leader();
    try {
      await cluster.members[old]?.kill();
      await proxies[old]?.become("refuse");
      await expect.poll(leader).not.toBe(old);
      const next = proxies[await leader()]?.url;
      await expect.poll(servers).toEqual(clients.map(() => next));
    } finally {
      await proxies[old]?.become("pass");
      await cluster.members[old]?.start();
      await Promise.all(clients.map((etcd) => etcd.close()));
    }
  });

  test("the search for the leader counts towards a call's timeout and can be aborted", async () => {
    for (const proxy of proxies) await proxy.become("hang");
    try {
      await using hasty = connect({ timeout: 300 });
      const start = performance.now();
      await expect(hasty.setNode("/late", "x")).rejects.toMatchObject({ name: "TimeoutError" });
      expect(performance.now() - start).toBeLessThan(3_000);

      await using patient = connect();
      const caller = new AbortController();
      const call = patient.setNode("/late", "x", { signal: caller.signal });
      await once(proxies[0] as FaultProxy, "request");
      caller.abort();
      const given = performance.now();
      await expect(call).rejects.toMatchObject({ name: "AbortError", outcome: "not-sent" });
      expect(performance.now() - given).toBeLessThan(3_000);
    } finally {
      for (const proxy of proxies) await proxy.become("pass");
    }
  });
});
