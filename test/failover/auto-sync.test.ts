import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";

describeWithEtcd("3.4", "autoSync", () => {
  let cluster: EtcdCluster;
  let seed: FaultProxy;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", members: 3 });
    seed = await FaultProxy.before(cluster.urls[0] ?? "");
  });

  afterAll(async () => {
    await seed?.close();
    await cluster?.stop();
  });

  /** URLs that the client uses now. */
  const endpointsOf = async (etcd: EtcdClient): Promise<readonly string[]> =>
    (await etcd.health()).map(({ endpoint }) => endpoint).sort();

  test("is off by default", async () => {
    await using etcd = new EtcdClient({ urls: [seed.url] });
    await etcd.setNode("/file", "x");
    expect(await endpointsOf(etcd)).toEqual([seed.url]);
    expect(seed.requests).not.toContain("GET /v2/members");
  });

  test("adds the members that one member advertises, and keeps the given endpoints", async () => {
    await using etcd = new EtcdClient({ urls: [seed.url], autoSync: true });
    await etcd.setNode("/file", "x");
    const all = [seed.url, ...cluster.urls].sort();
    await expect.poll(() => endpointsOf(etcd)).toEqual(all);
    await seed.become("refuse");
    try {
      for (let count = 0; count < 5; count++) await etcd.setNode("/file", "x");
      expect(await endpointsOf(etcd)).toEqual(all);
    } finally {
      await seed.become("pass");
    }
  });

  test("repeats the request after its interval", async () => {
    const asked = () => seed.requests.filter((request) => request === "GET /v2/members").length;
    const before = asked();
    await using etcd = new EtcdClient({ urls: [seed.url], autoSync: 50 });
    await expect
      .poll(async () => {
        await etcd.getNode("/");
        return asked() - before;
      })
      .toBeGreaterThanOrEqual(2);
  });

  test("a failed or invalid list changes nothing", async () => {
    for (const members of ["not JSON", '{"members":[]}', '{"members":[{"clientURLs":["::"]}]}']) {
      const liar = createServer((request, answer) => {
        const body = request.url === "/v2/members" ? members : '{"health":"true"}';
        answer.end(body);
      });
      const url = await listen(liar);
      await using etcd = new EtcdClient({ urls: [url], autoSync: 1 });
      for (let count = 0; count < 5; count++) expect(await endpointsOf(etcd)).toEqual([url]);
      await end(liar);
    }
  });

  test("an address of another cluster is not used", async () => {
    await using other = await startEtcd({ release: "3.4" });
    const [elsewhere = ""] = other.urls;
    const args = [`--advertise-client-urls=${elsewhere}`];
    await using misled = await startEtcd({ release: "3.4", args });
    for (const api of ["v2", "v3"] as const) {
      await using etcd = new EtcdClient({ urls: misled.urls, api, autoSync: 1 });
      for (let count = 0; count < 5; count++) await etcd.setNode("/file", "x");
      expect(await endpointsOf(etcd)).toEqual(misled.urls);
    }
  });

  async function listen(server: Server): Promise<string> {
    await once(server.listen(0, "127.0.0.1"), "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function end(server: Server): Promise<void> {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }
});

describeWithEtcd("3.4", "autoSync with TLS", () => {
  test("does not add endpoints without TLS", async () => {
    await using plain = await startEtcd({ release: "3.4" });
    await using proxy = await FaultProxy.before(plain.urls[0] ?? "");
    const secure = `https://localhost:${new URL(proxy.url).port}`;
    const advertised = `--advertise-client-urls=${plain.urls[0]},${secure}`;
    await using cluster = await startEtcd({ release: "3.4", tls: true, args: [advertised] });
    const [url = ""] = cluster.urls;
    proxy.target = url;
    await using etcd = new EtcdClient({ urls: [url], ca: cluster.ca ?? "", autoSync: true });
    const endpoints = async () => (await etcd.health()).map(({ endpoint }) => endpoint).sort();
    await expect.poll(endpoints).toEqual([url, secure].sort());
  });
});
