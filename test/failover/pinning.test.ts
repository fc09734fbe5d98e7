import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, type EtcdClientOptions, KeyNotFoundError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import type { FaultProxy } from "../support/fault-proxy.js";
import { type ProxiedClient, proxiedClient } from "./proxied-client.js";

/** Longer than the first backoff of an endpoint. */
const FIRST_BACK_OFF_MS = 600;

describeWithEtcd("3.4", "the endpoint that a client stays with", () => {
  let cluster: EtcdCluster;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", members: 3 });
    await using direct = new EtcdClient({ urls: cluster.urls });
    await direct.setNode("/file", "value");
  });

  afterAll(() => cluster?.stop());

  const connect = (options: Omit<EtcdClientOptions, "urls"> = {}): Promise<ProxiedClient> =>
    proxiedClient(cluster, options);

  const requestsOf = (proxies: readonly FaultProxy[]): string[] =>
    proxies.flatMap(({ requests }) => requests);

  test("receives all requests while it is healthy", async () => {
    await using client = await connect();
    const { etcd, pinned, others } = client;
    for (let count = 0; count < 10; count++) {
      await Promise.all([
        etcd.getNode("/file"),
        etcd.getNode("/file", { quorum: true }),
        etcd.setNode("/pinned", String(count)),
        etcd.getNode("/missing", { ignoreKeyNotFound: true }),
        etcd.members.list(),
      ]);
    }
    expect(pinned.requests.length).toBe(51);
    expect(requestsOf(others)).toEqual([]);
  });

  test("differs from client to client", async () => {
    const seen = new Set<string>();
    for (let count = 0; count < 60 && seen.size < 3; count++) {
      await using etcd = new EtcdClient({ urls: cluster.urls });
      seen.add((await etcd.getNode("/file")).etcdServer);
    }
    expect([...seen].sort()).toEqual([...cluster.urls].sort());
  });

  test("is replaced when its member hangs, after one timeout", async () => {
    await using client = await connect({ requestTimeout: 400 });
    const { etcd, pinned, proxies } = client;
    const member = cluster.members[proxies.indexOf(pinned)];
    const before = pinned.requests.length;
    member?.pause();
    try {
      await Promise.all(Array.from({ length: 20 }, () => etcd.getNode("/file")));
      const asked = pinned.requests.length - before;
      expect(asked).toBeLessThanOrEqual(20);
      await setTimeout(FIRST_BACK_OFF_MS);
      for (let count = 0; count < 50; count++) await etcd.getNode("/file");
      expect(pinned.requests.length - before).toBe(asked);
    } finally {
      member?.resume();
    }
  });

  test("is replaced by an endpoint that responds with an error of etcd", async () => {
    await using client = await connect({ requestTimeout: 200 });
    const { etcd, pinned } = client;
    await pinned.become("hang");
    const before = pinned.requests.length;
    await expect(etcd.getNode("/missing")).rejects.toThrow(KeyNotFoundError);
    await setTimeout(FIRST_BACK_OFF_MS);
    await expect(etcd.getNode("/missing")).rejects.toThrow(KeyNotFoundError);
    expect(pinned.requests.length - before).toBe(1);
  });

  test("is replaced by a slow endpoint", async () => {
    await using client = await connect({ requestTimeout: 2_000 });
    const { etcd, pinned, others } = client;
    await pinned.become("refuse");
    for (const other of others) await other.become("late");
    const { etcdServer } = await etcd.getNode("/file");
    await pinned.become("pass");
    expect((await etcd.getNode("/file")).etcdServer).toBe(etcdServer);
  });

  test("stays the new one when the old one recovers", async () => {
    await using client = await connect();
    const { etcd, pinned } = client;
    await pinned.become("refuse");
    const { etcdServer } = await etcd.setNode("/moved", "x");
    expect(etcdServer).not.toBe(pinned.url);
    await pinned.become("pass");
    await setTimeout(FIRST_BACK_OFF_MS);
    for (let count = 0; count < 10; count++) {
      expect((await etcd.getNode("/file")).etcdServer).toBe(etcdServer);
    }
  });

  test("can be one that has just failed, when the others are down", async () => {
    await using client = await connect();
    const { etcd, pinned, others } = client;
    await pinned.become("refuse");
    await etcd.getNode("/file");
    await pinned.become("pass");
    for (const other of others) await other.become("refuse");
    expect((await etcd.setNode("/back", "x")).etcdServer).toBe(pinned.url);
  });

  test("is found again after all were down", async () => {
    await using client = await connect();
    const { etcd, proxies } = client;
    for (const proxy of proxies) await proxy.become("refuse");
    await expect(etcd.setNode("/gone", "x")).rejects.toThrow("ECONNREFUSED");
    await proxies[1]?.become("pass");
    expect((await etcd.setNode("/gone", "x")).etcdServer).toBe(proxies[1]?.url);
  });
});
