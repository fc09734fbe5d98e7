import { afterAll, beforeAll, expect, it } from "vitest";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import type { KeyRequest } from "../../src/model/key-request.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { apiOf } from "./v3-tools.js";

/** Milliseconds for one attempt and for the whole request. Without the first limit, it takes 5 s or more. */
const ATTEMPT = { attemptTimeout: 200 };
const SOON = 2_500;

describeWithEtcd("3.7", "on v3, while members hang, a request", () => {
  let etcd: EtcdCluster;
  let proxies: readonly FaultProxy[];
  let keySpace: V3KeySpace;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.7" });
    proxies = await Promise.all([1, 2].map(() => FaultProxy.before(etcd.urls[0])));
    keySpace = open();
    await keySpace.execute({ action: "set", key: "/dir/file", value: "1" });
  });
  afterAll(async () => {
    await keySpace?.close();
    await Promise.all((proxies ?? []).map((proxy) => proxy.close()));
    await etcd?.stop();
  });

  const open = (): V3KeySpace => new V3KeySpace(apiOf(proxies.map(({ url }) => url)));

  /** Duration of a task while the client's current endpoint hangs. */
  async function timeWhileHung(task: () => Promise<unknown>): Promise<number> {
    const { etcdServer } = await keySpace.execute({ action: "get", key: "/" });
    const hung = proxies.find(({ url }) => url === etcdServer);
    await hung?.become("hang");
    const startedAt = performance.now();
    try {
      await task();
      return performance.now() - startedAt;
    } finally {
      await hung?.become("pass");
    }
  }

  it.each<readonly [string, KeyRequest]>([
    ["a file is read", { action: "get", key: "/dir/file", quorum: true }],
    ["a directory is listed", { action: "get", key: "/dir", quorum: true }],
    ["a TTL is granted", { action: "create", key: "/dir", inOrder: true, value: "", ttl: 100 }],
  ])("with attemptTimeout continues at another member in time when %s", async (_, request) => {
    expect(await timeWhileHung(() => keySpace.execute(request, ATTEMPT))).toBeLessThan(SOON);
  });

  it("with attemptTimeout reports an unknown outcome of a write in time", async () => {
    const set = { action: "set", key: "/dir/file", value: "2" } as const;
    const late = await timeWhileHung(async () => {
      const written = keySpace.execute(set, ATTEMPT);
      await expect(written).rejects.toMatchObject({ name: "OutcomeUnknownError" });
    });
    expect(late).toBeLessThan(SOON);
  });

  it("with attemptTimeout continues in time, also for the first request of a client", async () => {
    for (const hung of proxies) {
      await hung.become("hang");
      const fresh = open();
      const startedAt = performance.now();
      await fresh.execute({ action: "get", key: "/dir", quorum: true }, ATTEMPT);
      expect(performance.now() - startedAt).toBeLessThan(SOON);
      await fresh.close();
      await hung.become("pass");
    }
  });

  it.each<readonly [string, KeyRequest]>([
    ["a read that is the first request", { action: "get", key: "/dir/file" }],
    ["a write that is the first request", { action: "set", key: "/dir/file", value: "3" }],
  ])("can be aborted: %s", async (_, request) => {
    for (const proxy of proxies) await proxy.become("hang");
    const fresh = open();
    const startedAt = performance.now();
    const given = fresh.execute(request, { signal: AbortSignal.timeout(100) });
    await expect(given).rejects.toMatchObject({ name: "AbortError" });
    expect(performance.now() - startedAt).toBeLessThan(SOON);
    await fresh.close();
    for (const proxy of proxies) await proxy.become("pass");
  });

  it("without a response makes the watches of its member continue elsewhere", async () => {
    const set = { action: "set", key: "/dir/watched", value: "1" } as const;
    const watch = await keySpace.openWatch({ key: "/dir/watched" });
    const told = watch[Symbol.asyncIterator]().next();
    const late = await timeWhileHung(async () => {
      const written = keySpace.execute(set, ATTEMPT);
      await expect(written).rejects.toMatchObject({ name: "OutcomeUnknownError" });
      await keySpace.execute(set);
      await expect(told).resolves.toMatchObject({ value: { action: "set" } });
    });
    // A ping takes 5 s. Without it, detection takes a minute.
    expect(late).toBeLessThan(15_000);
    watch.close();
  });

  it("can be aborted: a watch that is the first request", async () => {
    for (const proxy of proxies) await proxy.become("hang");
    const fresh = open();
    const startedAt = performance.now();
    const given = fresh.openWatch({ key: "/dir" }, { signal: AbortSignal.timeout(100) });
    await expect(given).rejects.toMatchObject({ name: "AbortError", outcome: "none" });
    expect(performance.now() - startedAt).toBeLessThan(SOON);
    await fresh.close();
    for (const proxy of proxies) await proxy.become("pass");
  });

  it("can be aborted: an in-order key that waits for an earlier one", async () => {
    // The first one is sent on the open connection.
    await keySpace.execute({ action: "get", key: "/" });
    for (const proxy of proxies) await proxy.become("hang");
    const create = { action: "create", key: "/dir", inOrder: true, value: "" } as const;
    const calls = new AbortController();
    const first = keySpace.execute(create, { signal: calls.signal });
    const second = keySpace.execute(create, { signal: AbortSignal.timeout(100) });
    await expect(second).rejects.toMatchObject({ name: "AbortError", outcome: "not-sent" });
    calls.abort();
    await expect(first).rejects.toMatchObject({ name: "AbortError", outcome: "unknown" });
    for (const proxy of proxies) await proxy.become("pass");
  });
});
