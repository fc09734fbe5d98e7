import { afterAll, beforeAll, expect, it } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { type Clock, systemClock } from "../../src/time/clock.js";
import { testFailed } from "../contract/refusals.js";
import { v3KeySpaceOf } from "../contract/v3.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { apiOf, V3Tool } from "./v3-tools.js";

const OFFSET = 5_000_000;

describeWithEtcd("3.7", "indexes that go on where others ended", () => {
  let etcd: EtcdCluster;
  let keySpace: KeySpace;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.7" });
    const tool = new V3Tool(etcd.urls);
    await tool.put("\0etcdnet/offset", String(OFFSET));
    tool.close();
    keySpace = v3KeySpaceOf(etcd.urls);
  });
  afterAll(async () => {
    await keySpace?.close();
    await etcd?.stop();
  });

  it("are higher than revisions by the stored offset, in every response", async () => {
    const { node, etcdIndex } = await keySpace.execute({ action: "set", key: "/a", value: "1" });
    expect(node.modifiedIndex).toBeGreaterThan(OFFSET);
    expect(etcdIndex).toBe(node.modifiedIndex);
    expect((await keySpace.execute({ action: "get", key: "/a" })).node).toEqual(node);
    const missing = keySpace.execute({ action: "get", key: "/b" });
    await expect(missing).rejects.toMatchObject({ index: etcdIndex });
  });

  it("are used by comparisons", async () => {
    const { node } = await keySpace.execute({ action: "set", key: "/a", value: "1" });
    const { modifiedIndex: prevIndex } = node;
    const swap = { action: "compareAndSwap", key: "/a", value: "2" } as const;
    await keySpace.execute({ ...swap, prevIndex });
    await expect(keySpace.execute({ ...swap, prevIndex })).rejects.toMatchObject(
      testFailed(`[${prevIndex} != ${prevIndex + 1}]`),
    );
    for (const low of [1, OFFSET]) {
      const removal = { action: "compareAndDelete", key: "/c", prevIndex: low } as const;
      await expect(keySpace.execute(removal)).rejects.toMatchObject({ errorCode: 100 });
    }
  });

  it("name in-order keys, above the imported ones", async () => {
    const key = "/q";
    const first = `${key}/${String(OFFSET - 1).padStart(20, "0")}`;
    await keySpace.execute({ action: "set", key: first, value: "" });
    const { node } = await keySpace.execute({ action: "create", key, value: "", inOrder: true });
    expect(node.key > first).toBe(true);
    expect(Number(node.key.slice(3))).toBeLessThanOrEqual(node.createdIndex);
  });

  it("are those of events, and no earlier history exists", async () => {
    const written = await keySpace.execute({ action: "set", key: "/w", value: "1" });
    const watch = await keySpace.openWatch({ key: "/w", waitIndex: written.etcdIndex });
    for await (const event of watch) expect(event.node).toEqual(written.node);
    const past = keySpace.openWatch({ key: "/w", waitIndex: OFFSET - 10 });
    await expect(past).rejects.toMatchObject({ errorCode: 401 });
  });
});

describeWithEtcd("3.7", "an offset that another process raises", () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.7" });
  });
  afterAll(async () => {
    await etcd?.stop();
  });

  /** Key spaces of processes that have cached the offset, and one that raises it. */
  const processes = async (keyPrefix: string, clock: Clock = systemClock) => {
    const open = () => new V3KeySpace(apiOf(etcd.urls), { keyPrefix, clock });
    const [one, raising] = [open(), open()];
    for (const each of [one, raising])
      await each.execute({ action: "get", key: "/", quorum: true });
    const indexOf = async (keySpace: KeySpace): Promise<number> =>
      (await keySpace.execute({ action: "get", key: "/", quorum: true })).etcdIndex;
    return { one, raising, indexOf, stop: () => Promise.all([one.close(), raising.close()]) };
  };

  it("is noticed at once by processes with watches, and their watches restart", async () => {
    const { one, raising, indexOf, stop } = await processes("/watched");
    const before = await one.execute({ action: "set", key: "/a", value: "1" });
    const waiting = await one.openWatch({ key: "/a", waitIndex: before.etcdIndex + 1 });
    const events: EtcdResponse[] = [];
    const reading = (async () => {
      for await (const event of waiting) events.push(event);
    })();
    await raising.loading.continueAfter(OFFSET);
    await reading;
    expect(events).toEqual([]);
    await expect.poll(() => indexOf(one)).toBeGreaterThan(OFFSET);
    expect(await indexOf(one)).toBe(await indexOf(raising));
    const again = one.openWatch({ key: "/a", waitIndex: before.etcdIndex + 1 });
    await expect(again).rejects.toMatchObject({ errorCode: 401 });
    const { etcdIndex } = await raising.execute({ action: "set", key: "/a", value: "2" });
    const watch = await one.openWatch({ key: "/a", waitIndex: etcdIndex });
    for await (const event of watch) expect(event.node.modifiedIndex).toBe(etcdIndex);
    await stop();
  });

  it("is noticed by processes without watches, within 30 seconds", async () => {
    let passed = 0;
    const monotonic = (): number => systemClock.monotonic() + passed;
    const clock = { now: systemClock.now, after: systemClock.after, monotonic };
    const { one, raising, indexOf, stop } = await processes("/quiet", clock);
    await raising.loading.continueAfter(OFFSET);
    passed += 30_001;
    expect(await indexOf(one)).toBe(await indexOf(raising));
    await stop();
  });

  it("is noticed before an in-order key gets its name", async () => {
    const { one, raising, stop } = await processes("/queue");
    const create = { action: "create", key: "/q", value: "", inOrder: true } as const;
    await raising.loading.continueAfter(OFFSET);
    const first = await raising.execute(create);
    const second = await one.execute(create);
    expect(second.node.key > first.node.key).toBe(true);
    expect(second.node.createdIndex).toBeGreaterThan(OFFSET);
    await stop();
  });
});
