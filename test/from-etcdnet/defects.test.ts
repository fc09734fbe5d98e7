/** Defects of EtcdNet: each test fails on a client that behaves as EtcdNet does. */

import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, vi } from "vitest";
import {
  EtcdClient,
  EventIndexClearedError,
  expirationTime,
  KeyNotFoundError,
  OutcomeUnknownError,
  TestFailedError,
} from "../../src/index.js";
import { ETCD_HEADERS, GOOD_GET, good, startOddServer } from "../odd-server.js";
import {
  certificateAuthority,
  clientCertificate,
  serverCertificate,
} from "../support/certificates.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { testPoints } from "./guide.js";

describeWithEtcd("3.4", "a defect of EtcdNet", () => {
  let cluster: EtcdCluster;
  let etcd: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    etcd = new EtcdClient({ urls: cluster.urls });
  });
  afterAll(async () => {
    await etcd.close();
    await cluster.stop();
  });

  /** Writes a key and tells the index of that. */
  async function indexOfSet(key: string, value: string): Promise<number> {
    return (await etcd.setNode(key, value)).etcdIndex;
  }

  testPoints("Fixed defects of EtcdNet", {
    "Compare-and-delete by index compares the index": async () => {
      const outdated = await indexOfSet("/cad", "1");
      // As a value, the outdated index is right.
      const prevIndex = await indexOfSet("/cad", String(outdated));
      const wrong = etcd.compareAndDeleteNode("/cad", { prevIndex: outdated });
      await expect(wrong).rejects.toBeInstanceOf(TestFailedError);
      expect(await etcd.getNodeValue("/cad")).toBe(String(outdated));
      await etcd.compareAndDeleteNode("/cad", { prevIndex });
      expect(await etcd.getNode("/cad", { ignoreKeyNotFound: true })).toBeNull();
    },

    "Error 401 is EventIndexClearedError": async () => {
      const waitIndex = await indexOfSet("/cleared", "1");
      for (let round = 0; round < 20; round++) {
        await Promise.all(Array.from({ length: 50 }, () => etcd.setNode("/cleared", "2")));
      }
      const watch = etcd.watchNode("/cleared", { waitIndex });
      await expect(watch).rejects.toBeInstanceOf(EventIndexClearedError);
    },

    "lastIndex is set": async () => {
      const index = await indexOfSet("/last", "1");
      expect(etcd.lastIndex).toBe(index);
      await using other = new EtcdClient({ urls: cluster.urls });
      await other.getNode("/last");
      expect(other.lastIndex).toBe(index);
    },

    "Keys are percent-encoded": async () => {
      const names = ["a?b", "a#b", "a%b", "%41", "a b", "a+b", "a&b=c", "ä€🔑", "a;b", '"a\\b"'];
      const before = await indexOfSet("/names/a", "");
      await etcd.deleteNode("/names/a");
      for (const name of names) await etcd.setNode(`/names/${name}`, name);
      for (const name of names) expect(await etcd.getNodeValue(`/names/${name}`)).toBe(name);
      const { node } = await etcd.getNode("/names");
      const listed = node.nodes?.map(({ key }) => key.replace("/names/", ""));
      expect(listed?.sort()).toEqual(names.sort());
      const watch = etcd.watchNode("/names/a?b", { waitIndex: before + 1 });
      expect((await watch).node.key).toBe("/names/a?b");
    },

    "Client certificates work": async () => {
      const { cert: ca } = certificateAuthority();
      const { cert, key } = clientCertificate("client");
      const server = createServer(
        { ...serverCertificate(), ca, requestCert: true },
        (_request, response) => response.writeHead(200, ETCD_HEADERS).end(GOOD_GET),
      );
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const urls = [`https://127.0.0.1:${(server.address() as AddressInfo).port}`];
      const client = new EtcdClient({ urls, ca, x509Certificate: { cert, key } });
      expect(await client.getNodeValue("/a")).toBe("1");
      await client.close();
      server.close();
    },

    "A write is never repeated silently": async () => {
      const [url = ""] = cluster.urls;
      await using one = await FaultProxy.before(url);
      await using other = await FaultProxy.before(url);
      const written = await indexOfSet("/once/key", "1");
      const writes = [
        (client: EtcdClient) => client.createInOrderNode("/once/queue", "job"),
        (client: EtcdClient) => client.compareAndSwapNode("/once/key", { prevValue: "1" }, "2"),
        (client: EtcdClient) => client.setNode("/once/key", "3"),
        (client: EtcdClient) => client.createNode("/once/new", "1"),
        (client: EtcdClient) => client.deleteNode("/once/key"),
      ];
      await one.become("cut after request");
      await other.become("cut after request");
      for (const write of writes) {
        await using client = new EtcdClient({ urls: [one.url, other.url] });
        await expect(write(client)).rejects.toBeInstanceOf(OutcomeUnknownError);
      }
      expect(one.requests.length + other.requests.length).toBe(writes.length);
      // Each took effect, and took effect once.
      const { node, etcdIndex } = await etcd.getNode("/once/queue");
      expect(etcdIndex).toBe(written + writes.length);
      expect(node.nodes).toHaveLength(1);
      // What nobody has processed goes on to another member.
      await one.become("refuse");
      await other.become("pass");
      await using client = new EtcdClient({ urls: [one.url, other.url] });
      expect(await client.setNode("/once/key", "4")).toHaveProperty("etcdServer", other.url);
    },

    "Directories can be deleted with their content": async () => {
      await etcd.setNode("/full/of/things", "1");
      const { node } = await etcd.deleteNode("/full", { recursive: true });
      expect(node).toMatchObject({ key: "/full", dir: true });
      expect(await etcd.getNode("/full/of/things", { ignoreKeyNotFound: true })).toBeNull();
    },

    "Reads can be linearizable": async () => {
      await etcd.setNode("/agreed", "1");
      // A read through the leader is an entry of its log; a local one is not.
      const local = await etcd.getNode("/agreed");
      const agreed = await etcd.getNode("/agreed", { quorum: true });
      const again = await etcd.getNode("/agreed", { quorum: true });
      expect(agreed.raftIndex).toBeGreaterThan(local.raftIndex);
      expect(again.raftIndex).toBeGreaterThan(agreed.raftIndex);
    },

    "Calls can be cancelled": async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const before = etcd.watchNode("/never", { signal: AbortSignal.abort() });
      const atOnce = etcd.watchNode("/never", { signal });
      controller.abort();
      const later = etcd.watchNode("/never", { signal: AbortSignal.timeout(50) });
      for (const result of await Promise.allSettled([before, atOnce, later])) {
        const reason = { name: "AbortError", outcome: "none" };
        expect(result).toMatchObject({ status: "rejected", reason });
      }
      const write = etcd.setNode("/cancelled", "1", { signal });
      await expect(write).rejects.toMatchObject({ name: "AbortError", outcome: "not-sent" });
      expect(await etcd.getNode("/cancelled", { ignoreKeyNotFound: true })).toBeNull();
    },

    "A key can be updated only if it exists": async () => {
      await expect(etcd.updateNode("/updated", "1")).rejects.toBeInstanceOf(KeyNotFoundError);
      const createdIndex = await indexOfSet("/updated", "1");
      const { node } = await etcd.updateNode("/updated", "2");
      expect(node).toMatchObject({ value: "2", createdIndex });
    },

    "A TTL can be extended silently": async () => {
      const { etcdIndex } = await etcd.createNode("/kept", "mine", { ttl: 60 });
      const { node } = await etcd.refreshNode("/kept", 600, { prevValue: "mine" });
      expect(node).toMatchObject({ value: "mine", ttl: 600 });
      await etcd.setNode("/kept", "another's");
      const seen = await etcd.watchNode("/kept", { waitIndex: etcdIndex + 1 });
      expect(seen).toMatchObject({ action: "set", node: { value: "another's" } });
      const late = etcd.refreshNode("/kept", 600, { prevValue: "mine" });
      await expect(late).rejects.toBeInstanceOf(TestFailedError);
    },

    "Expiration is an exact time": () => {
      vi.stubEnv("TZ", "Asia/Tokyo");
      expect(new Date(0).getTimezoneOffset()).toBe(-9 * 60);
      const node = { key: "/a", createdIndex: 4, modifiedIndex: 4 };
      const momentOf = (expiration: string) => expirationTime({ ...node, expiration });
      expect(momentOf("2016-01-09T06:34:56.168680746Z")).toEqual(
        new Date(Date.UTC(2016, 0, 9, 6, 34, 56, 168)),
      );
      expect(momentOf("2013-12-04T12:01:21.874888581-08:00")).toEqual(
        new Date(Date.UTC(2013, 11, 4, 20, 1, 21, 874)),
      );
      vi.unstubAllEnvs();
    },

    "A watch loop misses no child": async () => {
      await etcd.setNode("/loop/deep/a", "old");
      const { etcdIndex } = await etcd.getNode("/loop", { recursive: true });
      await etcd.setNode("/loop/deep/a", "1");
      await etcd.setNode("/loop/b", "2");
      await etcd.deleteNode("/loop/deep/a");
      const seen: string[] = [];
      for (let waitIndex = etcdIndex + 1; seen.length < 4; ) {
        const { action, node } = await etcd.watchNode("/loop", { recursive: true, waitIndex });
        seen.push(`${action} ${node.key}`);
        waitIndex = node.modifiedIndex + 1;
        // While nobody waits.
        if (seen.length === 2) await etcd.setNode("/loop/deep/c/d", "3");
      }
      expect(seen).toEqual([
        "set /loop/deep/a",
        "set /loop/b",
        "delete /loop/deep/a",
        "set /loop/deep/c/d",
      ]);
    },

    "A compare-and-swap with nothing to compare is refused": async () => {
      const index = await indexOfSet("/swapped", "1");
      const conditions = [{ prevValue: null }, { prevIndex: null }, {}, { prevValue: "" }];
      for (const condition of conditions) {
        // @ts-expect-error not conditions
        const swap = etcd.compareAndSwapNode("/swapped", condition, "2");
        await expect(swap).rejects.toThrow(TypeError);
      }
      // @ts-expect-error not a value
      const swap = etcd.compareAndSwapNode("/swapped", { prevValue: "1" }, null);
      await expect(swap).rejects.toThrow(TypeError);
      expect((await etcd.getNode("/swapped")).etcdIndex).toBe(index);
    },

    "The first endpoint is random": async () => {
      const servers = await Promise.all(Array.from({ length: 4 }, () => startOddServer(good)));
      const urls = servers.map(({ url }) => url);
      const clients = Array.from({ length: 100 }, () => new EtcdClient({ urls }));
      const answers = await Promise.all(clients.map((client) => client.getNode("/a")));
      expect(new Set(answers.map(({ etcdServer }) => etcdServer))).toEqual(new Set(urls));
      await Promise.all(clients.map((client) => client.close()));
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },

    "Passwords may have any character": async () => {
      await using server = await startOddServer(good);
      const options = { urls: [server.url], username: "jürgen", password: "合言葉" };
      await using client = new EtcdClient(options);
      await client.getNode("/a");
      const [, credentials = ""] = server.requests[0]?.headers.authorization?.split(" ") ?? [];
      expect(Buffer.from(credentials, "base64").toString()).toBe("jürgen:合言葉");
    },
  });
});
