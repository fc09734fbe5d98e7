import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { AbortError, EtcdClient, TimeoutError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { proxiedClient } from "./proxied-client.js";
import { currentIndex } from "./writes.js";

describeWithEtcd("3.4", "the connections of a client", () => {
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

  const outcomeOf = (call: Promise<unknown>): Promise<unknown> =>
    call.catch((error: unknown) => error);

  describe("maxConnections", () => {
    test("limits the connections of calls, which are reused", async () => {
      await using client = await proxiedClient(cluster, { maxConnections: 3 });
      const writes = Array.from({ length: 60 }, (_, count) =>
        client.etcd.setNode(`/bounded/${count}`, "x"),
      );
      await Promise.all(writes);
      expect(client.pinned.connections).toBe(3);
    });

    test("does not count watches", async () => {
      await using client = await proxiedClient(cluster, { maxConnections: 1 });
      const watches = Array.from({ length: 20 }, () => client.etcd.watchNode("/watched"));
      const watchers = async () => (await direct.stats.store()).watchers;
      await expect.poll(watchers).toBe(watches.length);
      const { node } = await client.etcd.setNode("/watched", "x");
      for (const event of await Promise.all(watches)) expect(event.node).toEqual(node);
    });

    test("a call that timed out while waiting for a connection was not sent, and its error says so", async () => {
      await using client = await proxiedClient(cluster, { maxConnections: 1 });
      const before = await currentIndex(direct);
      await client.pinned.become("hang");
      const caller = new AbortController();
      const watch = client.etcd.watchNode("/file").catch(() => {});
      const first = outcomeOf(client.etcd.getNode("/file", { quorum: true }));
      const write = { action: "set", key: "/file", value: "timed" } as const;
      const timed = outcomeOf(client.etcd.execute(write, { attemptTimeout: 300 }));
      const aborted = outcomeOf(client.etcd.setNode("/file", "aborted", { signal: caller.signal }));
      await once(client.pinned, "request");
      caller.abort();
      expect(await aborted).toMatchObject({ name: "AbortError", outcome: "not-sent" });
      expect(await timed).toBeInstanceOf(TimeoutError);
      await client.pinned.become("pass");
      await client.etcd.close();
      expect(await first).toBeInstanceOf(AbortError);
      await watch;
      expect(client.pinned.requests.filter((request) => request.startsWith("PUT"))).toEqual([]);
      expect(await currentIndex(direct)).toBe(before);
    });
  });

  describe("close", () => {
    test("aborts pending calls, with their outcome in the error", async () => {
      await using client = await proxiedClient(cluster, { maxConnections: 1 });
      await client.pinned.become("hang");
      const read = outcomeOf(client.etcd.getNode("/file"));
      const write = outcomeOf(client.etcd.setNode("/file", "x"));
      const queued = outcomeOf(client.etcd.setNode("/file", "y"));
      const watch = outcomeOf(client.etcd.watchNode("/file"));
      const seen = client.pinned.requests.length;
      await expect.poll(() => client.pinned.requests.length).toBe(seen + 3);
      await client.etcd.close();
      expect(await read).toMatchObject({ name: "AbortError", outcome: "none" });
      expect(await write).toMatchObject({ name: "AbortError", outcome: "unknown" });
      expect(await queued).toMatchObject({ name: "AbortError", outcome: "not-sent" });
      expect(await watch).toMatchObject({ name: "AbortError", outcome: "none" });
      await expect.poll(() => client.pinned.open).toBe(0);
    });

    test("aborts calls that were started in the same tick", async () => {
      await using client = await proxiedClient(cluster);
      const seen = client.pinned.requests.length;
      const read = outcomeOf(client.etcd.getNode("/file"));
      const write = outcomeOf(client.etcd.setNode("/file", "x"));
      const watch = outcomeOf(client.etcd.watchNode("/file"));
      await client.etcd.close();
      expect(await read).toMatchObject({ name: "AbortError", outcome: "none" });
      expect(await write).toMatchObject({ name: "AbortError", outcome: "not-sent" });
      expect(await watch).toMatchObject({ name: "AbortError", outcome: "none" });
      expect(client.pinned.requests.length).toBe(seen);
    });

    test("ends 200 watches and frees their sockets", async () => {
      await using client = await proxiedClient(cluster);
      const watches = Array.from({ length: 200 }, (_, count) =>
        outcomeOf(client.etcd.watchNode(`/many/${count}`)),
      );
      await expect.poll(() => client.pinned.requests.length).toBe(1 + watches.length);
      await client.etcd.close();
      for (const watch of await Promise.all(watches)) expect(watch).toBeInstanceOf(AbortError);
      await expect.poll(() => client.pinned.open).toBe(0);
    });

    test("later calls are refused, and nothing is sent", async () => {
      await using client = await proxiedClient(cluster);
      const seen = client.pinned.connections;
      await client.etcd.close();
      await client.etcd.close();
      await expect(client.etcd.getNode("/file")).rejects.toThrow(TypeError);
      await expect(client.etcd.setNode("/file", "x")).rejects.toThrow("closed");
      await expect(client.etcd.watchNode("/file")).rejects.toThrow(TypeError);
      await expect(client.etcd.health()).rejects.toThrow(TypeError);
      expect(client.pinned.connections).toBe(seen);
    });
  });

  test("a connection that cannot be started fails the call and leaks nothing", async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    try {
      await using etcd = new EtcdClient({ urls: cluster.urls, useProxy: true, writeTimeout: 100 });
      vi.stubEnv("http_proxy", "no URL");
      await expect(etcd.setNode("/file", "x")).rejects.toThrow("Invalid URL");
      await setTimeout(300);
      expect(unhandled).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      process.off("unhandledRejection", onUnhandled);
    }
  });

  test("an idle connection that was cut is replaced without a failure", async () => {
    await using client = await proxiedClient(cluster);
    for (let round = 0; round < 20; round++) {
      await client.pinned.cut();
      await client.etcd.setNode("/file", "x");
    }
  });
});
