import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { EtcdClient, type EtcdClientOptions } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { type HttpProxy, startHttpProxy } from "./http-proxy.js";

const USER = "proxy user";
const PASSWORD = "pröxy:password@%";
/** A port without a server. */
const NOBODY = "127.0.0.1:9";

for (const tls of [false, true]) {
  describeWithEtcd("3.4", `a proxy on the way to an ${tls ? "https" : "http"} endpoint`, () => {
    let cluster: EtcdCluster;
    let direct: EtcdClient;
    beforeAll(async () => {
      cluster = await startEtcd({ release: "3.4", tls });
      direct = clientWith({});
    });
    afterAll(async () => {
      await direct.close();
      await cluster.stop();
    });

    const clientWith = (options: EtcdClientOptions) =>
      new EtcdClient({ urls: cluster.urls, ...(cluster.ca && { ca: cluster.ca }), ...options });

    /** The requests of a first write at the proxy. */
    const write = () =>
      tls ? `CONNECT ${new URL(cluster.urls[0]).host}` : `PUT ${cluster.urls[0]}/v2/keys/a%20b`;

    const expectNotSent = async (etcd: EtcdClient, reason: string) => {
      const unavailable = {
        name: "ClusterUnavailableError",
        message: expect.stringContaining(reason),
      };
      await expect(etcd.getNode("/")).rejects.toMatchObject(unavailable);
      await expect(etcd.watchNode("/")).rejects.toMatchObject(unavailable);
      await expect(etcd.setNode("/not-sent", "1")).rejects.toMatchObject(unavailable);
      expect(await direct.getNode("/not-sent", { ignoreKeyNotFound: true })).toBeNull();
    };

    describe("named by its URL", () => {
      test("receives every call", async () => {
        await using proxy = await startHttpProxy();
        await using etcd = clientWith({ useProxy: proxy.url });
        const { etcdServer } = await etcd.setNode("/a b", "1");
        expect(etcdServer).toBe(cluster.urls[0]);
        expect(proxy.requests).toEqual([write()]);
        for (let i = 0; i < 10; i++) expect(await etcd.getNodeValue("/a b")).toBe("1");
        expect(await etcd.health()).toEqual([{ endpoint: etcdServer, healthy: true }]);
        // A tunnel carries only this client's data. Over other connections, the proxy may have sent anything.
        expect(proxy.connections).toBe(tls ? 1 : 12);
      });

      test("may close its connections without notice: no outcome becomes unknown", async () => {
        await using proxy = await startHttpProxy({ closesSilently: true });
        await using etcd = clientWith({ useProxy: proxy.url });
        for (let i = 0; i < 5; i++) {
          expect(await etcd.setNode("/a", `${i}`)).toMatchObject({ node: { value: `${i}` } });
        }
      });

      test("carries watches that last longer than any timeout", async () => {
        await using proxy = await startHttpProxy();
        await using etcd = clientWith({ useProxy: proxy.url, requestTimeout: 400, timeout: 500 });
        const watching = etcd.watchNode("/watched");
        await delay(1_000);
        await direct.setNode("/watched", "1");
        expect(await watching).toMatchObject({ node: { key: "/watched", value: "1" } });
        expect(proxy.requests).toHaveLength(1);
      });

      test("carries many concurrent calls", async () => {
        await using proxy = await startHttpProxy();
        await using etcd = clientWith({ useProxy: proxy.url, maxConnections: 8 });
        const writes = Array.from({ length: 100 }, (_, i) => etcd.setNode(`/many/${i}`, `${i}`));
        await Promise.all(writes);
        expect((await direct.getNode("/many")).node.nodes).toHaveLength(100);
        if (tls) expect(proxy.connections).toBe(8);
      });

      test("receives the credentials in its URL", async () => {
        await using proxy = await startHttpProxy({ credentials: `${USER}:${PASSWORD}` });
        await using etcd = clientWith({ useProxy: proxy.urlFor(USER, PASSWORD) });
        expect(await etcd.setNode("/a", "1")).toMatchObject({ action: "set" });
      });

      test("with wrong credentials: nothing reaches etcd", async () => {
        await using proxy = await startHttpProxy({ credentials: `${USER}:${PASSWORD}` });
        for (const useProxy of [proxy.url, proxy.urlFor(USER, "wrong")]) {
          await using etcd = clientWith({ useProxy });
          await expectNotSent(etcd, "407");
        }
      });

      test("if it is down: nothing is sent", async () => {
        await using etcd = clientWith({ useProxy: `http://${NOBODY}` });
        await expectNotSent(etcd, `ECONNREFUSED ${NOBODY}`);
      });
    });

    describe("named by environment variables", () => {
      const names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
      let proxy: HttpProxy;
      beforeEach(async () => {
        for (const name of names) {
          vi.stubEnv(name, undefined);
          vi.stubEnv(name.toLowerCase(), undefined);
        }
        proxy = await startHttpProxy();
      });
      afterEach(async () => {
        vi.unstubAllEnvs();
        await proxy[Symbol.asyncDispose]();
      });

      const own = tls ? "HTTPS_PROXY" : "HTTP_PROXY";

      test.each([own, own.toLowerCase()])("(%s) is used", async (name) => {
        vi.stubEnv(name, proxy.url);
        await using etcd = clientWith({ useProxy: true });
        await etcd.setNode("/a b", "1");
        await direct.setNode("/a b", "2");
        expect(proxy.requests).toEqual([write()]);
      });

      test.each(["127.0.0.1", "*", "example.com,127.0.0.1"])(
        "is not used if NO_PROXY is %s",
        async (value) => {
          vi.stubEnv(own, proxy.url);
          vi.stubEnv("NO_PROXY", value);
          await using etcd = clientWith({ useProxy: true });
          for (let i = 0; i < 3; i++) await etcd.setNode("/a b", "1");
          expect(proxy.requests).toEqual([]);
        },
      );

      test("is optional", async () => {
        await using etcd = clientWith({ useProxy: true });
        expect(await etcd.setNode("/a", "1")).toMatchObject({ action: "set" });
      });

      test("is refused if it is not a URL, with a message that does not contain it", () => {
        vi.stubEnv(own, "user:s3cret@proxy:3128");
        expect(() => clientWith({ useProxy: true })).toThrow(
          expect.objectContaining({
            name: "TypeError",
            message: expect.stringMatching(new RegExp(`^useProxy: (?!.*s3cret).*${own}`)),
          }),
        );
      });
    });
  });
}

describeWithEtcd("3.4", "what a proxy answers by itself", () => {
  let cluster: EtcdCluster;
  let proxy: HttpProxy;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    proxy = await startHttpProxy();
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await cluster.stop();
  });

  test("does not prove that a write was not processed", async () => {
    await using etcd = new EtcdClient({ urls: [`http://${NOBODY}`], useProxy: proxy.url });
    await expect(etcd.setNode("/a", "1")).rejects.toMatchObject({ name: "OutcomeUnknownError" });
    await expect(etcd.getNode("/a")).rejects.toMatchObject({ name: "ProtocolError" });
  });

  test("does so if it refused the tunnel", async () => {
    await using etcd = new EtcdClient({ urls: [`https://${NOBODY}`], useProxy: proxy.url });
    await expect(etcd.setNode("/a", "1")).rejects.toMatchObject({
      name: "ClusterUnavailableError",
    });
  });

  test("does so if it found the request line too long", async () => {
    await using etcd = new EtcdClient({ urls: cluster.urls, useProxy: proxy.url });
    const value = "v".repeat(6 * 1024);
    await etcd.setNode("/a", value);
    await expect(etcd.compareAndDeleteNode("/a", { prevValue: value })).rejects.toMatchObject({
      name: "ProtocolError",
      message: expect.stringContaining("414"),
    });
    expect(await etcd.getNodeValue("/a")).toBe(value);
  });
});
