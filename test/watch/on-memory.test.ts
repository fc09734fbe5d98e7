import { describe, expect, test } from "vitest";
import { EtcdClient, type WatchItem } from "../../src/index.js";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import type { WatchRequests } from "../../src/key-space/remote/watch/watch-requests.js";
import { memoryWatchRequests } from "../support/memory-watch-requests.js";
import { SimulatedClock } from "../support/simulated-clock.js";
import { WatchSessionSubscriptions } from "../support/watch-session-subscription.js";

/** A client on a memory key space, with a clock that the test advances. */
function arrange(historySize = 1_000) {
  const clock = new SimulatedClock();
  const keySpace = new MemoryKeySpace({ clock, historySize });
  return { clock, keySpace, etcd: new EtcdClient({ keySpace, clock }) };
}

const brief = (item: WatchItem | undefined): readonly unknown[] => {
  if (item === undefined) return ["end"];
  if (item.type === "resync") return [item.reason, item.response?.node.value ?? null];
  return [item.response.action, item.response.node.key];
};

describe("watch on the memory key space", () => {
  test("delivers every change below a directory, without hidden keys and keys beside it", async () => {
    const { clock, etcd } = arrange();
    const watcher = etcd.watch("/d", { recursive: true });
    await clock.pass(0);
    await etcd.setNode("/d/a", "1");
    await etcd.setNode("/d/_hidden", "1");
    await etcd.setNode("/dog", "1");
    await etcd.deleteNode("/d", { recursive: true });
    await etcd.setNode("/d/b", "2");
    const items = [await watcher.next(), await watcher.next(), await watcher.next()];
    expect(items.map(({ value }) => brief(value))).toEqual([
      ["set", "/d/a"],
      ["delete", "/d"],
      ["set", "/d/b"],
    ]);
    await etcd.close();
  });

  test("delivers the removal of a directory above the key, and the key's next creation", async () => {
    const { clock, etcd } = arrange();
    await etcd.setNode("/d/e/key", "1");
    const watcher = etcd.watch("/d/e/key");
    await clock.pass(0);
    await etcd.deleteNode("/d", { recursive: true });
    await etcd.setNode("/d/e/key", "2");
    expect(brief((await watcher.next()).value)).toEqual(["delete", "/d"]);
    expect(brief((await watcher.next()).value)).toEqual(["set", "/d/e/key"]);
    await etcd.close();
  });

  test("starts with the state if initial is set, without a gap or a duplicate", async () => {
    const { etcd } = arrange();
    await etcd.setNode("/a", "1");
    const watcher = etcd.watch("/a", { initial: true });
    const writes = ["2", "3", "4"].map((value) => etcd.setNode("/a", value));
    const { value: state } = await watcher.next();
    if (state?.type !== "resync") expect.fail("no state");
    await Promise.all(writes);
    const last = await etcd.setNode("/a", "5");
    for (let index = state.index + 1; index <= last.node.modifiedIndex; index++) {
      expect((await watcher.next()).value).toMatchObject({
        response: { node: { modifiedIndex: index } },
      });
    }
    await etcd.close();
  });

  test("delivers null as the state of a missing key", async () => {
    const { etcd } = arrange();
    const { value } = await etcd.watch("/a", { initial: true }).next();
    expect(value).toMatchObject({ type: "resync", reason: "initial", response: null });
    await etcd.close();
  });

  test("resumes from an index, which is inclusive", async () => {
    const { etcd } = arrange();
    await etcd.setNode("/a", "1");
    const { node } = await etcd.setNode("/a", "2");
    const watcher = etcd.watch("/a", { from: node.modifiedIndex });
    expect((await watcher.next()).value).toMatchObject({ response: { node: { value: "2" } } });
    expect(watcher.index).toBe(node.modifiedIndex);
    await etcd.close();
  });

  test("delivers the state if the history no longer has the index to resume from", async () => {
    const { etcd } = arrange(10);
    for (let n = 1; n <= 20; n++) await etcd.setNode("/a", `${n}`);
    const watcher = etcd.watch("/a", { from: 5 });
    expect(brief((await watcher.next()).value)).toEqual(["history-cleared", "20"]);
    await etcd.setNode("/a", "21");
    expect(brief((await watcher.next()).value)).toEqual(["set", "/a"]);
    await etcd.close();
  });

  test("delivers a resync for another cluster if the store has not reached the index to resume from", async () => {
    const { clock, etcd } = arrange();
    await etcd.setNode("/a", "1");
    const watcher = etcd.watch("/a", { from: 500 });
    const next = watcher.next();
    await clock.pass(1_000);
    expect(brief((await next).value)).toEqual(["cluster-changed", "1"]);
    await etcd.close();
  });

  test("from an index of another cluster delivers the state instead", async () => {
    const { etcd } = arrange();
    const { etcdClusterId } = await etcd.setNode("/a", "1");
    const { node } = await etcd.setNode("/a", "2");
    const from = node.modifiedIndex;
    const same = etcd.watch("/a", { from, clusterId: etcdClusterId });
    const other = etcd.watch("/a", { from, clusterId: "cafe" });
    expect(brief((await same.next()).value)).toEqual(["set", "/a"]);
    expect(brief((await other.next()).value)).toEqual(["cluster-changed", "2"]);
    await etcd.close();
  });

  test("advances its index and its time of contact while the key does not change", async () => {
    const { clock, keySpace, etcd } = arrange();
    const watcher = etcd.watch("/quiet");
    await clock.pass(1_000);
    for (let n = 0; n < 50; n++) await etcd.setNode("/busy", `${n}`);
    expect(watcher.index).toBe(keySpace.index);
    await clock.pass(10_000);
    expect(watcher.currentAt).toBe(clock.monotonic());
    await etcd.close();
  });

  test("resolves concurrent calls of next() in the order of the calls", async () => {
    const { clock, etcd } = arrange();
    const watcher = etcd.watch("/a");
    const pending = [watcher.next(), watcher.next(), watcher.next()];
    await clock.pass(0);
    await etcd.setNode("/a", "1");
    await etcd.deleteNode("/a");
    await clock.pass(0);
    watcher.close();
    const results = (await Promise.all(pending)).map(({ value }) => brief(value));
    expect(results).toEqual([["set", "/a"], ["delete", "/a"], ["end"]]);
    await etcd.close();
  });

  test("bounds its buffer for a consumer that does not read, and delivers a resync for the lost changes", async () => {
    const { clock, etcd } = arrange(50);
    const watcher = etcd.watch("/a", { bufferSize: 20 });
    await clock.pass(0);
    for (let n = 0; n < 500; n++) {
      await etcd.setNode("/a", `${n}`);
      await clock.pass(1);
    }
    const items: unknown[] = [];
    let last: WatchItem | undefined;
    while (last?.type !== "resync") {
      const next = watcher.next();
      await clock.pass(100);
      last = (await next).value;
      items.push(last);
    }
    expect(items).toHaveLength(21);
    expect(brief(last)).toEqual(["slow-consumer", "499"]);
    await etcd.close();
  });
});

describe("a watch ends", () => {
  test("at once with AbortError when its signal aborts, and drops unread items", async () => {
    const { clock, etcd } = arrange();
    const abort = new AbortController();
    const watcher = etcd.watch("/a", { signal: abort.signal });
    await clock.pass(0);
    await etcd.setNode("/a", "1");
    abort.abort(new Error("enough"));
    await expect(watcher.next()).rejects.toMatchObject({
      name: "AbortError",
      cause: { message: "enough" },
    });
    await clock.pass(0);
    expect(clock.pending).toBe(0);
    await etcd.close();
  });

  test("with AbortError when its signal is already aborted", async () => {
    const { clock, etcd } = arrange();
    const watcher = etcd.watch("/a", { signal: AbortSignal.abort() });
    await expect(watcher.next()).rejects.toMatchObject({ name: "AbortError" });
    expect(clock.pending).toBe(0);
    await etcd.close();
  });

  test("when the client closes, also in a namespace of the client", async () => {
    const { clock, etcd } = arrange();
    const inside = etcd.namespace("/apps");
    expect(inside.closed).toBe(etcd.closed);
    const ends = [etcd.watch("/a").next(), inside.watch("/a").next()];
    await clock.pass(0);
    await inside.close();
    expect(inside.closed.aborted).toBe(false);
    await etcd.close();
    for (const end of ends) await expect(end).rejects.toMatchObject({ name: "AbortError" });
    await clock.pass(0);
    expect(clock.pending).toBe(0);
  });

  test("without an error when it is closed, also for a pending next()", async () => {
    const { clock, etcd } = arrange();
    const watcher = etcd.watch("/a");
    const waiting = watcher.next();
    watcher.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await clock.pass(0);
    expect(clock.pending).toBe(0);
    await etcd.close();
  });

  test("when it is closed while it waits for its consumer, and opens no new watch", async () => {
    const { clock, etcd, keySpace } = arrange();
    const watcher = etcd.watch("/a", { bufferSize: 2 });
    await clock.pass(0);
    for (let n = 0; n < 5; n++) {
      await etcd.setNode("/a", `${n}`);
      await clock.pass(1);
    }
    expect(keySpace.stats.watchers).toBe(0);
    watcher.close();
    await clock.pass(1_000);
    expect([keySpace.stats.watchers, clock.pending]).toEqual([0, 0]);
    await etcd.close();
  });

  test("when its consumer throws", async () => {
    const { clock, etcd, keySpace } = arrange();
    await etcd.setNode("/a", "1");
    const consume = async (): Promise<void> => {
      for await (const _ of etcd.watch("/a", { initial: true })) throw new Error("no good");
    };
    await expect(consume()).rejects.toThrow("no good");
    await clock.pass(0);
    expect(clock.pending).toBe(0);
    expect(keySpace.stats.watchers).toBe(0);
    await etcd.close();
  });

  test("with the error when a retry cannot repair it", async () => {
    const { clock, keySpace } = arrange();
    const failure = new TypeError("never");
    const requests = {
      ...memoryWatchRequests(() => keySpace),
      openWatch: () => Promise.reject(failure),
    };
    const subscriptions = new WatchSessionSubscriptions(keySpace, requests, clock);
    const broken: KeySpace = {
      execute: (request, options) => keySpace.execute(request, options),
      openWatch: requests.openWatch,
      subscribe: (request, options) => subscriptions.open(request, options?.signal),
      close: () => keySpace.close(),
    };
    const etcd = new EtcdClient({ keySpace: broken, clock });
    await expect(etcd.watch("/a").next()).rejects.toBe(failure);
    expect(clock.pending).toBe(0);
  });
});

test.each<readonly [object, RegExp]>([
  [{ from: 0 }, /^from: must be an integer from 1/],
  [{ from: 5, initial: true }, /^initial, from: cannot be combined/],
  [{ clusterId: "cafe" }, /^clusterId: needs from/],
  [{ pollInterval: 0 }, /^pollInterval: must be/],
  [{ bufferSize: 1.5 }, /^bufferSize: must be/],
  [{ waitIndex: 5 }, /^waitIndex: is not an option/],
])("refuses %j", async (options, message) => {
  const { etcd } = arrange();
  expect(() => etcd.watch("/a", options)).toThrow(message);
  expect(() => etcd.watch("a")).toThrow(/^key:/);
  await etcd.close();
});

test("claims no unproven index when the store is ahead of its watches", async () => {
  const { clock, keySpace } = arrange();
  const write = (key: string) => keySpace.execute({ action: "set", key, value: "1" });
  await write("/a");
  const requests = memoryWatchRequests(() => keySpace);
  const scan: WatchRequests["scan"] = async (request, options) => {
    const scan = await requests.scan(request, options);
    return { ...scan, events: [], provenIndex: request.since - 1 };
  };
  const subscriptions = new WatchSessionSubscriptions(keySpace, { ...requests, scan }, clock);
  // Changes may still be in transit from the store to the watches.
  const late: KeySpace = {
    execute: (request, options) => keySpace.execute(request, options),
    openWatch: (request, options) => keySpace.openWatch(request, options),
    subscribe: (request, options) => subscriptions.open(request, options?.signal),
    async close() {
      subscriptions.close();
      await keySpace.close();
    },
  };
  const etcd = new EtcdClient({ keySpace: late, clock });
  const watcher = etcd.watch("/a", { initial: true });
  const items = [await watcher.next()];
  await clock.pass(10_000);
  const { index, currentAt } = watcher;
  await write("/beside");
  await clock.pass(20_000);
  expect(watcher).toMatchObject({ index, currentAt: expect.closeTo(Number(currentAt), -4) });
  expect(clock.monotonic() - Number(watcher.currentAt)).toBeGreaterThanOrEqual(20_000);
  await write("/a");
  items.push(await watcher.next());
  expect(items.map(({ value }) => brief(value))).toEqual([
    ["initial", "1"],
    ["set", "/a"],
  ]);
  await etcd.close();
});
