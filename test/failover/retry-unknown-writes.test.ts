import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, OutcomeUnknownError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { type ProxiedClient, proxiedClient } from "./proxied-client.js";
import { currentIndex } from "./writes.js";

describeWithEtcd("3.4", "retryUnknownWrites", () => {
  let cluster: EtcdCluster;
  let direct: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    direct = new EtcdClient({ urls: cluster.urls });
  });

  afterAll(async () => {
    await direct?.close();
    await cluster?.stop();
  });

  /** A client with two proxies to the member. The first delivers requests and drops responses. */
  async function connect(): Promise<ProxiedClient> {
    const urls = [...cluster.urls, ...cluster.urls];
    const client = await proxiedClient({ urls }, { retryUnknownWrites: true });
    await client.pinned.become("cut after request");
    return client;
  }

  test("repeats a write with an unknown outcome, which may be applied twice", async () => {
    await using client = await connect();
    const before = await currentIndex(direct);
    const { etcdServer } = await client.etcd.setNode("/twice", "x");
    expect(etcdServer).toBe(client.others[0]?.url);
    expect((await currentIndex(direct)) - before).toBe(2);
  });

  test("reports an unknown outcome when no endpoint is left", async () => {
    await using client = await connect();
    await client.others[0]?.become("refuse");
    const before = await currentIndex(direct);
    const write = client.etcd.setNode("/once", "x");
    await expect(write).rejects.toThrow(OutcomeUnknownError);
    await expect(write).rejects.toMatchObject({ endpoint: client.pinned.url });
    expect((await currentIndex(direct)) - before).toBe(1);
  });

  test("reports an unknown outcome when the repetition is aborted", async () => {
    await using client = await connect();
    const caller = new AbortController();
    const onFailover = (): void => caller.abort();
    subscribe("etcdnet:failover", onFailover);
    const write = client.etcd.setNode("/aborted", "x", { signal: caller.signal });
    await expect(write).rejects.toMatchObject({ name: "AbortError", outcome: "unknown" });
    unsubscribe("etcdnet:failover", onFailover);
    expect(client.others[0]?.requests).toEqual([]);
    expect((await direct.getNode("/aborted", { quorum: true })).node.value).toBe("x");
  });
});
