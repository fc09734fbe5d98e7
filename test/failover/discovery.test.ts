import { getServers, setServers } from "node:dns";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ClusterUnavailableError, EtcdClient, TimeoutError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { type DnsServer, startDns, type Zone } from "./dns-server.js";

const PLAIN = "_etcd-client._tcp.example.test";
const SECURE = "_etcd-client-ssl._tcp.example.test";

describeWithEtcd("3.4", "discoverySrv", () => {
  let cluster: EtcdCluster;
  let secure: EtcdCluster;
  let zone: Zone;
  let dns: DnsServer;
  let etcd: EtcdClient;
  const usualServers = getServers();

  beforeAll(async () => {
    [cluster, secure] = await Promise.all([
      startEtcd({ release: "3.4" }),
      startEtcd({ release: "3.4", tls: true }),
    ]);
  });

  afterAll(async () => {
    await cluster?.stop();
    await secure?.stop();
  });

  beforeEach(async () => {
    zone = new Map();
    dns = await startDns(zone);
    setServers([dns.address]);
    etcd = new EtcdClient({ discoverySrv: "example.test", ca: secure.ca ?? "", timeout: 3_000 });
  });

  afterEach(async () => {
    setServers(usualServers);
    await etcd.close();
    await dns[Symbol.asyncDispose]();
  });

  const recordsOf = ({ urls }: Pick<EtcdCluster, "urls">) =>
    urls.map((url) => ({ name: "localhost", port: Number(new URL(url).port) }));

  test("the plain records are used if there are no others", async () => {
    zone.set(PLAIN, recordsOf(cluster));
    const answers = await Promise.all([etcd.setNode("/file", "x"), etcd.getNode("/")]);
    const port = recordsOf(cluster)[0]?.port;
    for (const { etcdServer } of answers) expect(etcdServer).toBe(`http://localhost:${port}`);
    expect(dns.questions).toEqual([SECURE, PLAIN]);
  });

  test("records for TLS are preferred", async () => {
    zone.set(PLAIN, recordsOf(cluster));
    zone.set(SECURE, recordsOf(secure));
    const { etcdServer } = await etcd.setNode("/file", "x");
    const port = recordsOf(secure)[0]?.port;
    expect(etcdServer).toBe(`https://localhost:${port}`);
    expect(dns.questions).toEqual([SECURE]);
  });

  test("an endpoint that is down is skipped", async () => {
    zone.set(PLAIN, [...recordsOf(cluster), { name: "localhost", port: 1 }]);
    for (let round = 0; round < 10; round++) {
      await using another = new EtcdClient({ discoverySrv: "example.test" });
      await another.setNode("/file", "x");
    }
  });

  test("the records are looked up again when none of their endpoints responds", async () => {
    await using proxy = await FaultProxy.before(cluster.urls[0] ?? "");
    zone.set(PLAIN, recordsOf({ urls: [proxy.url] }));
    await etcd.setNode("/file", "x");
    await proxy.become("refuse");
    zone.set(PLAIN, recordsOf(cluster));
    const value = () => etcd.getNodeValue("/file").catch((error: Error) => error.name);
    await expect.poll(value).toBe("x");
  });

  test("without records, a call fails with the reason, and the next call looks again", async () => {
    const failure = etcd.setNode("/file", "x");
    await expect(failure).rejects.toThrow(ClusterUnavailableError);
    await expect(failure).rejects.toThrow("dns:example.test");
    await expect(failure).rejects.toThrow(PLAIN);
    await expect(failure).rejects.toThrow(SECURE);
    zone.set(PLAIN, recordsOf(cluster));
    await etcd.setNode("/file", "x");
  });

  test("a failed lookup of the TLS records does not lead to plain endpoints", async () => {
    zone.set(SECURE, "fails");
    zone.set(PLAIN, recordsOf(cluster));
    await expect(etcd.setNode("/file", "x")).rejects.toThrow(ClusterUnavailableError);
    zone.set(SECURE, recordsOf(secure));
    expect((await etcd.setNode("/file", "x")).etcdServer).toMatch(/^https:/);
  });

  test("a silent DNS server takes no longer than the timeout of the call", async () => {
    zone.set(SECURE, "silent");
    zone.set(PLAIN, "silent");
    await using hasty = new EtcdClient({ discoverySrv: "example.test", timeout: 300 });
    const start = performance.now();
    const calls = [hasty.setNode("/file", "x"), hasty.health()];
    for (const { reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[]) {
      expect(reason).toBeInstanceOf(TimeoutError);
    }
    expect(performance.now() - start).toBeLessThan(3_000);
  }, 10_000);

  test("a DNS lookup can be aborted by a signal or close", async () => {
    zone.set(SECURE, "silent");
    const late = etcd.setNode("/file", "x", { signal: AbortSignal.abort() });
    await expect(late).rejects.toMatchObject({ name: "AbortError", outcome: "not-sent" });
    const caller = new AbortController();
    const [read, health, write, closed] = [
      etcd.getNode("/file", { signal: caller.signal }),
      etcd.health({ signal: caller.signal }),
      etcd.setNode("/file", "x", { signal: caller.signal }),
      etcd.setNode("/file", "x"),
    ].map((call) => call.catch((error: unknown) => error));
    caller.abort();
    expect(await read).toMatchObject({ name: "AbortError", outcome: "none" });
    expect(await health).toMatchObject({ name: "AbortError", outcome: "none" });
    expect(await write).toMatchObject({ name: "AbortError", outcome: "not-sent" });
    await etcd.close();
    expect(await closed).toMatchObject({ name: "AbortError", outcome: "not-sent" });
  }, 10_000);
});
