import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  EtcdClient,
  type EtcdClientOptions,
  KeyNotFoundError,
  OutcomeUnknownError,
} from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { type ProxiedClient, proxiedClient } from "./proxied-client.js";

/** Far below the 5 s after which an attempt at a read times out. */
const SOON_MS = 2_500;

describeWithEtcd("3.4", "hedgeReadsAfter", () => {
  let cluster: EtcdCluster;
  let direct: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    direct = new EtcdClient({ urls: cluster.urls });
    await direct.setNode("/file", "value");
  });

  afterAll(async () => {
    await direct?.close();
    await cluster?.stop();
  });

  /** A client with three proxies to the member. */
  function connect(options: Omit<EtcdClientOptions, "urls">): Promise<ProxiedClient> {
    const [url = ""] = cluster.urls;
    return proxiedClient({ urls: [url, url, url] }, options);
  }

  const requestsOfOthers = ({ others }: ProxiedClient): number =>
    others.flatMap(({ requests }) => requests).length;

  test("a member that hangs does not delay a read, and the attempt at it is aborted", async () => {
    await using client = await connect({ hedgeReadsAfter: 50 });
    await client.pinned.become("hang");
    const start = performance.now();
    const { node, etcdServer } = await client.etcd.getNode("/file");
    expect(performance.now() - start).toBeLessThan(SOON_MS);
    expect(node.value).toBe("value");
    expect(etcdServer).not.toBe(client.pinned.url);
    await expect.poll(() => client.pinned.open).toBe(0);
    expect(requestsOfOthers(client)).toBe(1);
  });

  test("a list of members is hedged, too", async () => {
    await using client = await connect({ hedgeReadsAfter: 50 });
    await client.pinned.become("hang");
    const start = performance.now();
    expect(await client.etcd.members.list()).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(SOON_MS);
  });

  test("an error of etcd is a response", async () => {
    await using client = await connect({ hedgeReadsAfter: 50 });
    await client.pinned.become("hang");
    const start = performance.now();
    await expect(client.etcd.getNode("/missing")).rejects.toThrow(KeyNotFoundError);
    expect(performance.now() - start).toBeLessThan(SOON_MS);
    expect(requestsOfOthers(client)).toBe(1);
  });

  test("no second request is sent if the first member responds in time or its connection fails", async () => {
    await using client = await connect({ hedgeReadsAfter: 60_000 });
    for (let count = 0; count < 20; count++) await client.etcd.getNode("/file");
    expect(requestsOfOthers(client)).toBe(0);
    await client.pinned.become("refuse");
    await client.etcd.getNode("/file");
    expect(requestsOfOthers(client)).toBe(1);
  });

  test("a read continues at the third member when the first two fail", async () => {
    await using client = await connect({ hedgeReadsAfter: 50, requestTimeout: 400 });
    await client.pinned.become("hang");
    await client.others[0]?.become("hang");
    expect((await client.etcd.getNode("/file")).etcdServer).toBe(client.others[1]?.url);
  });

  test("a write and a quorum read are never hedged", async () => {
    await using client = await connect({ hedgeReadsAfter: 50, writeTimeout: 800 });
    await client.pinned.become("hang");
    const write = client.etcd.setNode("/hedged", "x");
    const read = client.etcd.getNode("/file", { quorum: true });
    await expect(write).rejects.toThrow(OutcomeUnknownError);
    expect((await read).node.value).toBe("value");
    const lines = client.others.flatMap(({ requests }) => requests);
    expect(lines).toEqual(["GET /v2/keys/file?quorum=true"]);
    await expect(direct.getNode("/hedged")).rejects.toThrow(KeyNotFoundError);
  });

  test("a watch is established at either member", async () => {
    await using client = await connect({ hedgeReadsAfter: 50, requestTimeout: 500 });
    for (const fault of ["pass", "hang"] as const) {
      await client.pinned.become(fault);
      const watch = client.etcd.watchNode("/watched").catch((error: unknown) => error);
      await Promise.race([watch, untilWatched()]);
      const { node } = await direct.setNode("/watched", "x");
      expect(await watch).toMatchObject({ node });
    }
  });

  test("an abort reaches both attempts", async () => {
    await using client = await connect({ hedgeReadsAfter: 50 });
    for (const proxy of client.proxies) await proxy.become("hang");
    const caller = new AbortController();
    const read = client.etcd.getNode("/file", { signal: caller.signal });
    await Promise.any(client.others.map((proxy) => once(proxy, "request")));
    caller.abort();
    await expect(read).rejects.toMatchObject({ name: "AbortError", outcome: "none" });
    await expect.poll(() => client.proxies.map(({ open }) => open)).toEqual([0, 0, 0]);
  });

  const untilWatched = () => expect.poll(async () => (await direct.stats.store()).watchers).toBe(1);
});
