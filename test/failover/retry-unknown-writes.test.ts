import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  EtcdClient,
  type EtcdClientOptions,
  NodeExistError,
  OptionError,
  OutcomeUnknownError,
} from "../../src/index.js";
import { createGateway, MemoryKeySpace } from "../../src/server/index.js";
import { type HttpProxy, startHttpProxy } from "../connections/http-proxy.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { type Fault, FaultProxy } from "../support/fault-proxy.js";
import { V3Tool } from "../v3/v3-tools.js";
import { clientOfFaulty } from "./faulty-member.js";
import { type ProxiedClient, proxiedClient } from "./proxied-client.js";
import { currentIndex, isDone, prepare, WRITES } from "./writes.js";

/** Faults before and after etcd executes a write. */
const FAULTS: readonly Fault[] = ["cut before request", "cut after request", "cut in response"];

const SAFE: EtcdClientOptions = { retryUnknownWrites: "safe", timeout: 2_000 };

describeWithEtcd("3.4", "retryUnknownWrites on v2", () => {
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

  /** A client with two proxies to the member. The first one has the fault. */
  async function connect(
    fault: Fault = "cut after request",
    options: EtcdClientOptions = { retryUnknownWrites: true },
  ): Promise<ProxiedClient> {
    const urls = [...cluster.urls, ...cluster.urls];
    const client = await proxiedClient({ urls }, options);
    await client.pinned.become(fault);
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

  describe('"safe"', () => {
    test("repeats a write with prevIndex that was not applied", async () => {
      const { node } = await direct.setNode("/guarded", "1");
      const prevIndex = node.modifiedIndex;
      for (const run of [
        (etcd: EtcdClient) => etcd.compareAndSwapNode("/guarded", { prevIndex }, "2"),
        (etcd: EtcdClient) => etcd.compareAndDeleteNode("/guarded", { prevIndex: prevIndex + 1 }),
      ]) {
        await using client = await connect("cut before request", SAFE);
        const before = await currentIndex(direct);
        expect(await run(client.etcd)).toMatchObject({ prevNode: { key: "/guarded" } });
        expect((await currentIndex(direct)) - before).toBe(1);
      }
    });

    test("cannot tell its own change from an equal one of another client", async () => {
      const { node } = await direct.setNode("/equal", "1");
      await using client = await connect("cut after request", SAFE);
      const before = await currentIndex(direct);
      const swap = client.etcd.compareAndSwapNode("/equal", { prevIndex: node.modifiedIndex }, "2");
      await expect(swap).rejects.toThrow(OutcomeUnknownError);
      expect((await currentIndex(direct)) - before).toBe(1);
    });

    test("does not repeat other writes", async () => {
      await direct.setNode("/others", "1");
      for (const run of [
        (etcd: EtcdClient) => etcd.setNode("/others", "2"),
        (etcd: EtcdClient) => etcd.createNode("/others/new", "2"),
        (etcd: EtcdClient) => etcd.createInOrderNode("/queue", "2"),
        (etcd: EtcdClient) => etcd.compareAndSwapNode("/others", { prevValue: "1" }, "2"),
      ]) {
        await using client = await connect("cut before request", SAFE);
        await expect(run(client.etcd)).rejects.toThrow(OutcomeUnknownError);
        expect(client.others[0]?.requests).toEqual([]);
      }
    });
  });
});

describeWithEtcd("3.6", 'retryUnknownWrites: "safe" on v3', () => {
  let cluster: EtcdCluster;
  let direct: EtcdClient;
  let httpProxy: HttpProxy;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.6", v2: false, members: 3 });
    direct = new EtcdClient({ urls: cluster.urls, api: "v3" });
    httpProxy = await startHttpProxy();
  });

  afterAll(async () => {
    await direct?.close();
    await httpProxy?.[Symbol.asyncDispose]();
    await cluster?.stop();
  });

  test.each(["gRPC", "JSON"] as const)("applies every write once over %s", async (form) => {
    const useProxy = form === "JSON" && httpProxy.url;
    const options = { api: "v3", retryUnknownWrites: "safe", useProxy } as const;
    const sendAll = async (fault: Fault): Promise<void> => {
      const sent = WRITES.map(async (write) => {
        const key = `/${form}/${fault}/${write.name}`;
        await prepare(direct, key, write);
        await using client = await clientOfFaulty(cluster, fault, options);
        const response = await write.send(client.etcd, key);
        expect.soft(response, key).toMatchObject({ node: { key: expect.stringContaining(key) } });
        expect.soft(await isDone(direct, key, write), key).toBe(true);
      });
      await Promise.all(sent);
    };
    // The HTTP proxy keeps the connection open when a response is cut.
    const faults = form === "JSON" ? FAULTS.slice(0, -1) : FAULTS;
    for (const fault of faults) await sendAll(fault);
    const tool = new V3Tool(cluster.urls);
    const versions = await tool.versions(`/${form}/`);
    tool.close();
    for (const fault of faults) {
      for (const { name, prepared } of WRITES) {
        const key = `/${form}/${fault}/${name}`;
        const names = Object.keys(versions).filter((each) => each.startsWith(`${key}/`));
        expect.soft(names.length, key).toBe(name === "createInOrder" ? 1 : 0);
        expect.soft(versions[key] ?? 0, key).toBeLessThanOrEqual(prepared === "file" ? 2 : 1);
      }
    }
  });

  test("is an option of the gateway: its clients see no failure of a member", async () => {
    const proxies = await Promise.all(cluster.urls.map((url) => FaultProxy.before(url)));
    const urls = proxies.map(({ url }) => url);
    await using gateway = await createGateway({ etcd: { urls, retryUnknownWrites: "safe" } });
    await using client = new EtcdClient({ urls: [gateway.url] });
    await client.setNode("/gateway", "0");
    for (const proxy of proxies) {
      await proxy.become("cut after request");
      for (let n = 0; n < 3; n++) await client.createInOrderNode("/jobs", "x");
      await proxy.become("pass");
    }
    expect((await client.getNode("/jobs", { quorum: true })).node.nodes).toHaveLength(9);
    for (const proxy of proxies) await proxy.close();
  });

  test("reports a refusal only when it is certain", async () => {
    await direct.setNode("/exists", "x");
    await using client = await clientOfFaulty(cluster, "cut after request", {
      api: "v3",
      retryUnknownWrites: "safe",
    });
    await expect(client.etcd.createNode("/exists", "y")).rejects.toThrow(NodeExistError);
  });
});

test("an idempotencyKey is refused where it has no effect", async () => {
  const idempotencyKey = "a";
  await using v2 = new EtcdClient({ urls: ["http://127.0.0.1:1"] });
  await using memory = new EtcdClient({ keySpace: new MemoryKeySpace() });
  await using v3 = new EtcdClient({ urls: ["http://127.0.0.1:1"], api: "v3" });
  for (const etcd of [v2, memory, memory.namespace("/a")]) {
    const write = etcd.setNode("/a", "1", { idempotencyKey });
    await expect(write).rejects.toThrow(/^idempotencyKey: is only valid with api: "v3"; /);
    await expect(write).rejects.toThrow(OptionError);
  }
  const get = v3.execute({ action: "get", key: "/a" }, { idempotencyKey });
  await expect(get).rejects.toThrow(/idempotencyKey: is only valid for writes; omit it/);
  for (const wrong of ["", "x".repeat(257), "\ud800", 5 as unknown as string]) {
    const write = v3.namespace("/n").setNode("/a", "1", { idempotencyKey: wrong });
    await expect(write).rejects.toThrow(OptionError);
    await expect(write).rejects.toThrow(/^idempotencyKey: /);
  }
});
