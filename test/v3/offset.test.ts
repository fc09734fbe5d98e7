import { afterAll, beforeAll, expect, it } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { testFailed } from "../contract/refusals.js";
import { v3KeySpaceOf } from "../contract/v3.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { V3Tool } from "./v3-tools.js";

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

  it("are the stored number higher than revisions, wherever they show", async () => {
    const { node, etcdIndex } = await keySpace.execute({ action: "set", key: "/a", value: "1" });
    expect(node.modifiedIndex).toBeGreaterThan(OFFSET);
    expect(etcdIndex).toBe(node.modifiedIndex);
    expect((await keySpace.execute({ action: "get", key: "/a" })).node).toEqual(node);
    const missing = keySpace.execute({ action: "get", key: "/b" });
    await expect(missing).rejects.toMatchObject({ index: etcdIndex });
  });

  it("are what comparisons go by", async () => {
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

  it("name in-order keys, above those that came from elsewhere", async () => {
    const key = "/q";
    const first = `${key}/${String(OFFSET - 1).padStart(20, "0")}`;
    await keySpace.execute({ action: "set", key: first, value: "" });
    const { node } = await keySpace.execute({ action: "create", key, value: "", inOrder: true });
    expect(node.key > first).toBe(true);
    expect(Number(node.key.slice(3))).toBeLessThanOrEqual(node.createdIndex);
  });

  it("are those of events, and nothing is held from before them", async () => {
    const written = await keySpace.execute({ action: "set", key: "/w", value: "1" });
    const watch = await keySpace.openWatch({ key: "/w", waitIndex: written.etcdIndex });
    for await (const event of watch) expect(event.node).toEqual(written.node);
    const past = keySpace.openWatch({ key: "/w", waitIndex: OFFSET - 10 });
    await expect(past).rejects.toMatchObject({ errorCode: 401 });
  });
});
