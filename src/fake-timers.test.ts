import { createServer } from "node:net";
import { mock } from "node:test";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EtcdClient, type EtcdClientOptions, Lock } from "./index.js";
import { type EmbeddedEtcd, startEmbeddedEtcd } from "./server/index.js";

const FRAMEWORKS = {
  "Vitest or Jest": { fake: () => vi.useFakeTimers(), restore: () => vi.useRealTimers() },
  "Node's test runner": { fake: () => mock.timers.enable(), restore: () => mock.timers.reset() },
};

describe.each(Object.entries(FRAMEWORKS))("under fake timers of %s", (_, { fake, restore }) => {
  let server: EmbeddedEtcd;
  beforeEach(async () => {
    server = await startEmbeddedEtcd();
  });
  afterEach(async () => {
    restore();
    await server.close();
  });
  const connect = (options: EtcdClientOptions = {}) =>
    new EtcdClient({ urls: [server.url], ...options });

  test("consecutive calls get their responses, over HTTP/1", async () => {
    fake();
    await using etcd = connect();
    for (const value of ["1", "2", "3"]) await etcd.setNode("/a", value);
    expect(await etcd.getNodeValue("/a")).toBe("3");
  });

  test("earlier connections, and more calls than connections, work", async () => {
    await using etcd = connect({ maxConnections: 2 });
    const setTen = () =>
      Promise.all(Array.from({ length: 10 }, (_, i) => etcd.setNode("/a", `${i}`)));
    await setTen();
    fake();
    await setTen();
    restore();
    await setTen();
  });

  test("a first request with a long request line is sent", async () => {
    fake();
    await using etcd = connect();
    await expect(etcd.getNode(`/${"a".repeat(5_000)}`)).rejects.toThrow("Key not found");
  });

  test("watches and locks work", async () => {
    fake();
    await using etcd = connect();
    const watcher = etcd.watch("/a");
    await using lock = await new Lock(etcd, "/lock", { ttl: 10 }).acquire();
    await etcd.setNode("/a", "1");
    expect(await watcher.next()).toMatchObject({ value: { type: "change" } });
    watcher.close();
    lock.assertHeld();
  });

  test("a timeout takes real time", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await vi.waitUntil(() => silent.listening, { timeout: 60_000 });
    const { port } = silent.address() as { port: number };
    fake();
    await using etcd = connect({ urls: [`http://127.0.0.1:${port}`], requestTimeout: 30 });
    await expect(etcd.getNode("/a")).rejects.toThrow("no response within 30 ms");
    silent.close();
  });
});
