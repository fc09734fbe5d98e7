import { describe, expect, test } from "vitest";
import { EtcdClient, type WatchItem } from "../../src/index.js";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import type { WatchPort } from "../../src/key-space/remote/watch/watch-port.js";
import { memoryWatchPort } from "../support/memory-watch-port.js";
import { SimulatedClock } from "../support/simulated-clock.js";
import { WatchSessionSubscriptions } from "../support/watch-session-subscription.js";

/** A client on a key space in this process, and time that passes when told to. */
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
  test("tells every change below a directory, but for hidden ones and those beside it", async () => {
    const { clock, etcd } = arrange();
    const told = etcd.watch("/d", { recursive: true });
    await clock.pass(0);
    await etcd.setNode("/d/a", "1");
    await etcd.setNode("/d/_hidden", "1");
    await etcd.setNode("/dog", "1");
    await etcd.deleteNode("/d", { recursive: true });
    await etcd.setNode("/d/b", "2");
    const items = [await told.next(), await told.next(), await told.next()];
    expect(items.map(({ value }) => brief(value))).toEqual([
      ["set", "/d/a"],
      ["delete", "/d"],
      ["set", "/d/b"],
    ]);
    await etcd.close();
  });

  test("tells a key of the removal and the return of the directory above it", async () => {
    const { clock, etcd } = arrange();
    await etcd.setNode("/d/e/key", "1");
    const told = etcd.watch("/d/e/key");
    await clock.pass(0);
    await etcd.deleteNode("/d", { recursive: true });
    await etcd.setNode("/d/e/key", "2");
    expect(brief((await told.next()).value)).toEqual(["delete", "/d"]);
    expect(brief((await told.next()).value)).toEqual(["set", "/d/e/key"]);
    await etcd.close();
  });

  test("begins with the state when asked, without a gap or a duplicate", async () => {
    const { etcd } = arrange();
    await etcd.setNode("/a", "1");
    const told = etcd.watch("/a", { initial: true });
    const writes = ["2", "3", "4"].map((value) => etcd.setNode("/a", value));
    const { value: state } = await told.next();
    if (state?.type !== "resync") expect.fail("no state");
    await Promise.all(writes);
    const last = await etcd.setNode("/a", "5");
    for (let index = state.index + 1; index <= last.node.modifiedIndex; index++) {
      expect((await told.next()).value).toMatchObject({
        response: { node: { modifiedIndex: index } },
      });
    }
    await etcd.close();
  });

  test("says that there is no state of a key that does not exist", async () => {
    const { etcd } = arrange();
    const { value } = await etcd.watch("/a", { initial: true }).next();
    expect(value).toMatchObject({ type: "resync", reason: "initial", response: null });
    await etcd.close();
  });

  test("goes on from an index, that one included", async () => {
    const { etcd } = arrange();
    await etcd.setNode("/a", "1");
    const { node } = await etcd.setNode("/a", "2");
    const told = etcd.watch("/a", { from: node.modifiedIndex });
    expect((await told.next()).value).toMatchObject({ response: { node: { value: "2" } } });
    expect(told.index).toBe(node.modifiedIndex);
    await etcd.close();
  });

  test("from an index that is no longer held, tells the state instead", async () => {
    const { etcd } = arrange(10);
    for (let n = 1; n <= 20; n++) await etcd.setNode("/a", `${n}`);
    const told = etcd.watch("/a", { from: 5 });
    expect(brief((await told.next()).value)).toEqual(["history-cleared", "20"]);
    await etcd.setNode("/a", "21");
    expect(brief((await told.next()).value)).toEqual(["set", "/a"]);
    await etcd.close();
  });

  test("from an index that is not reached yet, takes the store for another one", async () => {
    const { clock, etcd } = arrange();
    await etcd.setNode("/a", "1");
    const told = etcd.watch("/a", { from: 500 });
    const next = told.next();
    await clock.pass(1_000);
    expect(brief((await next).value)).toEqual(["cluster-changed", "1"]);
    await etcd.close();
  });

  test("moves on while the key is quiet, and knows of its last contact", async () => {
    const { clock, keySpace, etcd } = arrange();
    const told = etcd.watch("/quiet");
    await clock.pass(1_000);
    for (let n = 0; n < 50; n++) await etcd.setNode("/busy", `${n}`);
    expect(told.index).toBe(keySpace.index);
    await clock.pass(10_000);
    expect(told.currentAt).toBe(clock.monotonic());
    await etcd.close();
  });

  test("answers a reader who asks twice in the order of the questions", async () => {
    const { clock, etcd } = arrange();
    const told = etcd.watch("/a");
    const asked = [told.next(), told.next(), told.next()];
    await clock.pass(0);
    await etcd.setNode("/a", "1");
    await etcd.deleteNode("/a");
    await clock.pass(0);
    told.close();
    const answers = (await Promise.all(asked)).map(({ value }) => brief(value));
    expect(answers).toEqual([["set", "/a"], ["delete", "/a"], ["end"]]);
    await etcd.close();
  });

  test("keeps its buffer bounded for a consumer that never reads, and says what that cost", async () => {
    const { clock, etcd } = arrange(50);
    const told = etcd.watch("/a", { bufferSize: 20 });
    await clock.pass(0);
    for (let n = 0; n < 500; n++) {
      await etcd.setNode("/a", `${n}`);
      await clock.pass(1);
    }
    const items: unknown[] = [];
    let last: WatchItem | undefined;
    while (last?.type !== "resync") {
      const next = told.next();
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
  test("at once with AbortError when its signal aborts, and drops what was not read", async () => {
    const { clock, etcd } = arrange();
    const abort = new AbortController();
    const told = etcd.watch("/a", { signal: abort.signal });
    await clock.pass(0);
    await etcd.setNode("/a", "1");
    abort.abort(new Error("enough"));
    await expect(told.next()).rejects.toMatchObject({
      name: "AbortError",
      cause: { message: "enough" },
    });
    await clock.pass(0);
    expect(clock.pending).toBe(0);
    await etcd.close();
  });

  test("with a signal that was aborted before", async () => {
    const { clock, etcd } = arrange();
    const told = etcd.watch("/a", { signal: AbortSignal.abort() });
    await expect(told.next()).rejects.toMatchObject({ name: "AbortError" });
    expect(clock.pending).toBe(0);
    await etcd.close();
  });

  test("with the client, and in a namespace with the client that it is of", async () => {
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

  test("quietly when it is closed, for whoever waits as well", async () => {
    const { clock, etcd } = arrange();
    const told = etcd.watch("/a");
    const waiting = told.next();
    told.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await clock.pass(0);
    expect(clock.pending).toBe(0);
    await etcd.close();
  });

  test("while it waits for its consumer, and opens nothing then", async () => {
    const { clock, etcd, keySpace } = arrange();
    const told = etcd.watch("/a", { bufferSize: 2 });
    await clock.pass(0);
    for (let n = 0; n < 5; n++) {
      await etcd.setNode("/a", `${n}`);
      await clock.pass(1);
    }
    expect(keySpace.stats.watchers).toBe(0);
    told.close();
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

  test("with the error when nothing can repair it", async () => {
    const { clock, keySpace } = arrange();
    const refusal = new TypeError("never");
    const port = { ...memoryWatchPort(() => keySpace), openWatch: () => Promise.reject(refusal) };
    const subscriptions = new WatchSessionSubscriptions(keySpace, port, clock);
    const broken: KeySpace = {
      execute: (request, options) => keySpace.execute(request, options),
      openWatch: port.openWatch,
      subscribe: (request, options) => subscriptions.open(request, options?.signal),
      close: () => keySpace.close(),
    };
    const etcd = new EtcdClient({ keySpace: broken, clock });
    await expect(etcd.watch("/a").next()).rejects.toBe(refusal);
    expect(clock.pending).toBe(0);
  });
});

test.each<readonly [object, RegExp]>([
  [{ from: 0 }, /^from: must be an integer from 1/],
  [{ from: 5, initial: true }, /^initial, from: cannot be combined/],
  [{ pollInterval: 0 }, /^pollInterval: must be/],
  [{ bufferSize: 1.5 }, /^bufferSize: must be/],
  [{ waitIndex: 5 }, /^waitIndex: is not an option/],
])("refuses %j", async (options, message) => {
  const { etcd } = arrange();
  expect(() => etcd.watch("/a", options)).toThrow(message);
  expect(() => etcd.watch("a")).toThrow(/^key:/);
  await etcd.close();
});

test("claims no index that nothing has proven, where the store is ahead of its watches", async () => {
  const { clock, keySpace } = arrange();
  const write = (key: string) => keySpace.execute({ action: "set", key, value: "1" });
  await write("/a");
  const port = memoryWatchPort(() => keySpace);
  const scan: WatchPort["scan"] = async (request, options) => {
    const scan = await port.scan(request, options);
    return { ...scan, events: [], provenIndex: request.since - 1 };
  };
  const subscriptions = new WatchSessionSubscriptions(keySpace, { ...port, scan }, clock);
  // Changes may still be on their way from the store to the watches.
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
  const told = etcd.watch("/a", { initial: true });
  const items = [await told.next()];
  await clock.pass(10_000);
  const { index, currentAt } = told;
  await write("/beside");
  await clock.pass(20_000);
  expect(told).toMatchObject({ index, currentAt: expect.closeTo(Number(currentAt), -4) });
  expect(clock.monotonic() - Number(told.currentAt)).toBeGreaterThanOrEqual(20_000);
  await write("/a");
  items.push(await told.next());
  expect(items.map(({ value }) => brief(value))).toEqual([
    ["initial", "1"],
    ["set", "/a"],
  ]);
  await etcd.close();
});
