import { afterAll, beforeAll, expect, test } from "vitest";
import {
  ClusterUnavailableError,
  EtcdClient,
  type EtcdClientOptions,
  OutcomeUnknownError,
  TimeoutError,
} from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { type ProxiedClient, proxiedClient } from "./proxied-client.js";

/** Proxies of the client. All lead to one member, so that only the time differs. */
const ONE = 1;
const THREE = 3;

describeWithEtcd("3.4", "time-outs", () => {
  let cluster: EtcdCluster;
  let direct: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", tls: true });
    direct = new EtcdClient({ urls: cluster.urls, ca: cluster.ca ?? "" });
    await direct.setNode("/file", "value");
  });

  afterAll(async () => {
    await direct?.close();
    await cluster?.stop();
  });

  function connect(ways: number, options: Partial<EtcdClientOptions>): Promise<ProxiedClient> {
    const urls = Array.from({ length: ways }, () => cluster.urls[0] ?? "");
    return proxiedClient({ urls }, { ca: cluster.ca ?? "", ...options });
  }

  /** The error of a call, and the milliseconds until it failed. */
  async function failureOf(
    call: () => Promise<unknown>,
  ): Promise<{ error: unknown; took: number }> {
    const start = performance.now();
    const error = await call().then(
      () => "no failure",
      (error: unknown) => error,
    );
    return { error, took: performance.now() - start };
  }

  test("requestTimeout limits local reads, writeTimeout limits writes and quorum reads", async () => {
    await using client = await connect(ONE, { requestTimeout: 200, writeTimeout: 500 });
    await client.pinned.become("hang");
    const { etcd, pinned } = client;
    // The write comes first, so that it uses the open connection.
    const [write, local, members, quorum] = await Promise.all([
      failureOf(() => etcd.setNode("/file", "x")),
      failureOf(() => etcd.getNode("/file")),
      failureOf(() => etcd.members.list()),
      failureOf(() => etcd.getNode("/file", { quorum: true })),
    ]);
    expect(local.error).toBeInstanceOf(TimeoutError);
    expect(local.error).toMatchObject({ timeout: 200, message: expect.stringContaining("/file") });
    expect(local.error).toMatchObject({ message: expect.stringContaining(pinned.url) });
    expect(members.error).toMatchObject({ name: "TimeoutError", timeout: 200 });
    expect(quorum.error).toMatchObject({ name: "TimeoutError", timeout: 500 });
    expect(write.error).toBeInstanceOf(OutcomeUnknownError);
    expect(write.error).toMatchObject({ cause: { name: "TimeoutError", timeout: 500 } });
    for (const { took } of [local, members]) expect(took).toBeGreaterThan(190);
    for (const { took } of [quorum, write]) expect(took).toBeGreaterThan(490);
  });

  test("a connection that takes longer than connectTimeout leaves no unknown outcome", async () => {
    await using client = await connect(ONE, { connectTimeout: 200 });
    await client.pinned.become("hang");
    await client.pinned.cut();
    const failures = await Promise.all([
      failureOf(() => client.etcd.getNode("/file")),
      failureOf(() => client.etcd.setNode("/file", "x")),
    ]);
    for (const { error, took } of failures) {
      expect(error).toBeInstanceOf(ClusterUnavailableError);
      expect(took).toBeGreaterThan(190);
      expect(took).toBeLessThan(2_000);
    }
  });

  test("after connectTimeout, also a write continues at another member", async () => {
    await using client = await connect(THREE, { connectTimeout: 1_000 });
    await client.pinned.become("hang");
    await client.pinned.cut();
    const before = client.pinned.connections;
    const { etcdServer } = await client.etcd.createNode("/created", "once");
    expect(client.pinned.connections).toBe(before + 1);
    expect(client.others.map(({ url }) => url)).toContain(etcdServer);
  });

  test("the error lists every attempt in order: endpoint, cause and time", async () => {
    await using client = await connect(THREE, { requestTimeout: 200 });
    const { etcd, pinned, proxies } = client;
    const [second] = client.others;
    await pinned.become("hang");
    await second?.become("refuse");
    await client.others[1]?.become("cut before request");
    const start = Date.now();
    const { error } = await failureOf(() => etcd.getNode("/file"));
    expect(error).toBeInstanceOf(ClusterUnavailableError);
    const { attempts, message, cause } = error as ClusterUnavailableError;
    expect(attempts[0]?.endpoint).toBe(pinned.url);
    expect(attempts[0]?.cause).toBeInstanceOf(TimeoutError);
    expect(attempts.map(({ endpoint }) => endpoint).sort()).toEqual(
      proxies.map(({ url }) => url).sort(),
    );
    expect(attempts.find(({ endpoint }) => endpoint === second?.url)?.cause).toMatchObject({
      code: "ECONNREFUSED",
    });
    const times = attempts.map(({ when }) => when.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(start + 190);
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now());
    for (const { url } of proxies) expect(message).toContain(url);
    expect(message).toContain("GET /file");
    expect(cause).toBe(attempts.at(-1)?.cause);
  });

  test("timeout limits the whole call, however many members are left to try", async () => {
    await using client = await connect(THREE, { requestTimeout: 1_500, timeout: 2_900 });
    for (const proxy of client.proxies) await proxy.become("hang");
    const { error, took } = await failureOf(() => client.etcd.getNode("/file"));
    expect(error).toMatchObject({ attempts: { length: 2 } });
    expect(took).toBeGreaterThan(2_890);
    // Three attempts would take 4.5 s.
    expect(took).toBeLessThan(4_400);
  });

  test("a watch lasts longer than any timeout", async () => {
    await using client = await connect(ONE, { requestTimeout: 2_000, timeout: 2_000 });
    const changed = client.etcd.watchNode("/file");
    // The test must wait: no event shows that nothing happened.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await direct.setNode("/file", "changed");
    expect((await changed).node.value).toBe("changed");
  });
});
