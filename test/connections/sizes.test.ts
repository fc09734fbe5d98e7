import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

/** etcd accepts forms of up to 10 MiB. */
const LARGEST = 10 * 1024 * 1024 - "value=".length;

for (const tls of [false, true]) {
  describeWithEtcd("3.4", `what goes over a connection ${tls ? "with TLS" : "in plain"}`, () => {
    let cluster: EtcdCluster;
    let etcd: EtcdClient;
    beforeAll(async () => {
      cluster = await startEtcd({ release: "3.4", tls });
      etcd = clientWith({});
    });
    afterAll(async () => {
      await etcd.close();
      await cluster.stop();
    });

    const clientWith = (options: { maxConnections?: number }) =>
      new EtcdClient({
        urls: cluster.urls,
        ...(cluster.ca && { ca: cluster.ca }),
        writeTimeout: 60_000,
        timeout: 120_000,
        ...options,
      });

    test("can be a value of 10 MiB, written, read and in an event", async () => {
      const value = "v".repeat(LARGEST);
      const { node } = await etcd.setNode("/large", value);
      expect(node.value === value).toBe(true);
      expect((await etcd.getNodeValue("/large")) === value).toBe(true);
      const event = await etcd.watchNode("/large", { waitIndex: node.modifiedIndex ?? 0 });
      expect(event.node.value === value).toBe(true);
      await etcd.deleteNode("/large");
    });

    test("above that, is refused by etcd", async () => {
      await expect(etcd.setNode("/too-large", "v".repeat(LARGEST + 1))).rejects.toMatchObject({
        name: "InvalidFormError",
        detail: "http: POST too large",
      });
    });

    test("can be a long condition in the first request of a connection", async () => {
      const value = "v".repeat(6 * 1024);
      for (let i = 0; i < 5; i++) {
        await etcd.setNode("/condition", value);
        await using fresh = clientWith({});
        expect(await fresh.compareAndDeleteNode("/condition", { prevValue: value })).toMatchObject({
          action: "compareAndDelete",
        });
      }
    });

    test("can be a long key in the first request of a connection", async () => {
      const key = `/${"k".repeat(6 * 1024)}`;
      for (const call of [
        (fresh: EtcdClient) => fresh.setNode(key, "1"),
        (fresh: EtcdClient) => fresh.getNode(key),
        (fresh: EtcdClient) => fresh.watchNode(key, { waitIndex: 1 }),
      ]) {
        await using fresh = clientWith({});
        expect(await call(fresh)).toMatchObject({ node: { key } });
      }
    });

    test("can be many concurrent calls, over many or few connections", async () => {
      for (const options of [{}, { maxConnections: 4 }]) {
        await using fresh = clientWith(options);
        const before = (await fresh.setNode("/many", null, { dir: true })).etcdIndex;
        const writes = Array.from({ length: 500 }, (_, i) =>
          fresh.createInOrderNode("/many", `${i}`),
        );
        const written = await Promise.all(writes);
        expect(new Set(written.map(({ node }) => node.createdIndex))).toHaveLength(500);
        const { node, etcdIndex } = await fresh.getNode("/many", { sorted: true });
        expect(etcdIndex).toBe(before + 500);
        expect(new Set(node.nodes?.map(({ value }) => value))).toHaveLength(500);
        await fresh.deleteNode("/many", { recursive: true });
      }
    });
  });
}
