import { getEventListeners, once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AbortError, EtcdClient } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { proxiedClient } from "./proxied-client.js";
import { watchStands } from "./watch-stands.js";
import { isDone, prepare, WRITES } from "./writes.js";

const REASON = new Error("changed my mind");

/** The error of an aborted call. */
async function abortOf(call: Promise<unknown>): Promise<AbortError> {
  const error = await call.then(
    () => "an answer",
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(AbortError);
  return error as AbortError;
}

describeWithEtcd("3.4", "a call that is given up", () => {
  let cluster: EtcdCluster;
  let direct: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    direct = new EtcdClient({ urls: cluster.urls, consistency: "quorum" });
    await direct.setNode("/file", "value");
  });

  afterAll(async () => {
    await direct?.close();
    await cluster?.stop();
  });

  test.each(WRITES)("$name: the outcome is unknown after it was sent", async (write) => {
    await using client = await proxiedClient(cluster);
    await client.pinned.become("hang");
    const caller = new AbortController();
    const call = abortOf(write.send(client.etcd, "/file", caller.signal));
    await once(client.pinned, "request");
    caller.abort(REASON);
    expect(await call).toMatchObject({ name: "AbortError", outcome: "unknown", cause: REASON });
  });

  test("an aborted read has no outcome", async () => {
    await using client = await proxiedClient(cluster);
    await client.pinned.become("hang");
    for (const quorum of [false, true]) {
      const caller = new AbortController();
      const call = abortOf(client.etcd.getNode("/file", { quorum, signal: caller.signal }));
      await once(client.pinned, "request");
      caller.abort(REASON);
      expect(await call).toMatchObject({ outcome: "none", cause: REASON });
    }
  });

  test("an established watch ends at once", async () => {
    await using client = await proxiedClient(cluster);
    const caller = new AbortController();
    const stands = watchStands();
    const call = abortOf(client.etcd.watchNode("/file", { signal: caller.signal }));
    await stands;
    caller.abort(REASON);
    expect(await call).toMatchObject({ outcome: "none", cause: REASON });
    await expect.poll(() => client.pinned.open).toBe(0);
  });

  test.each(WRITES)("$name: nothing is sent if the signal is already aborted", async (write) => {
    await using client = await proxiedClient(cluster);
    const seen = client.pinned.requests.length;
    const call = write.send(client.etcd, "/file", AbortSignal.abort(REASON));
    expect(await abortOf(call)).toMatchObject({ outcome: "not-sent", cause: REASON });
    expect(client.pinned.requests.length).toBe(seen);
  });

  test.each(WRITES)("$name: nothing is sent if it is aborted at once", async (write) => {
    const key = `/at once/${write.name}`;
    await prepare(direct, key, write);
    await using client = await proxiedClient(cluster);
    const caller = new AbortController();
    const call = write.send(client.etcd, key, caller.signal);
    caller.abort(REASON);
    expect(await abortOf(call)).toMatchObject({ outcome: "not-sent", cause: REASON });
    expect(await isDone(direct, key, write)).toBe(false);
  });

  test.each([
    ["a read", (etcd: EtcdClient, signal: AbortSignal) => etcd.getNode("/file", { signal })],
    ["a watch", (etcd: EtcdClient, signal: AbortSignal) => etcd.watchNode("/file", { signal })],
    ["a list of members", (etcd: EtcdClient, signal: AbortSignal) => etcd.members.list({ signal })],
    ["a health check", (etcd: EtcdClient, signal: AbortSignal) => etcd.health({ signal })],
  ])(
    "%s that is aborted at once ends at once",
    async (_name, send) => {
      await using client = await proxiedClient(cluster);
      const caller = new AbortController();
      const call = send(client.etcd, caller.signal);
      caller.abort(REASON);
      expect(await abortOf(call)).toMatchObject({ outcome: "none", cause: REASON });
    },
    5_000,
  );

  test("many calls can share a signal, and none leaves a listener on it", async () => {
    await using client = await proxiedClient(cluster);
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    const { signal } = new AbortController();
    await Promise.all(
      Array.from({ length: 20 }, (_, count) => [
        client.etcd.setNode(`/shared/${count}`, "", { signal }),
        client.etcd.watchNode("/", { recursive: true, waitIndex: 1, signal }),
        client.etcd.getNode("/missing", { signal, ignoreKeyNotFound: true }),
      ]).flat(),
    );
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await setImmediate();
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });
});
