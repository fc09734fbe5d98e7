import { afterAll, beforeAll, expect, it } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { v3KeySpaceOf } from "../contract/v3.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { countedKeySpace, V3Tool } from "./v3-tools.js";

const CREATORS = 50;
const ROUNDS = 6;

describeWithEtcd("3.7", "in-order keys of many creators", () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.7" });
  });
  afterAll(() => etcd?.stop());

  async function createAll(creator: KeySpace, key: string): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      await creator.execute({ action: "create", key, value: "", inOrder: true });
    }
  }

  async function writeBeside(tool: V3Tool, done: AbortSignal): Promise<void> {
    for (let number = 0; !done.aborted; number++) await tool.put(`/q/beside-${number % 7}`, "x");
  }

  it("are named in the order in which they were committed, while others write beside", async () => {
    const creators = Array.from({ length: CREATORS }, () => v3KeySpaceOf(etcd.urls));
    const tool = new V3Tool(etcd.urls);
    const done = new AbortController();
    const beside = writeBeside(tool, done.signal);
    await Promise.all(creators.map((creator) => createAll(creator, "/q")));
    done.abort();
    await beside;
    const [reader] = creators as [KeySpace];
    const { node } = await reader.execute({ action: "get", key: "/q", sorted: true });
    const inOrder = node.nodes?.filter(({ key }) => /\d{20}$/.test(key)) ?? [];
    expect(inOrder).toHaveLength(CREATORS * ROUNDS);
    const revisions = inOrder.map(({ createdIndex }) => createdIndex);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    for (const { key, createdIndex } of inOrder) {
      expect(Number(key.slice(3))).toBeLessThanOrEqual(createdIndex);
    }
    tool.close();
    await Promise.all(creators.map((creator) => creator.close()));
  });

  it("of one process do not race: one request each", async () => {
    const { keySpace, taken } = countedKeySpace(etcd.urls);
    await keySpace.execute({ action: "set", key: "/own/begin", value: "" });
    taken();
    const create = { action: "create", key: "/own", value: "", inOrder: true } as const;
    const answers = await Promise.all(Array.from({ length: 30 }, () => keySpace.execute(create)));
    expect(taken()).toHaveLength(30);
    const names = answers.map(({ node }) => node.key);
    expect(names).toEqual([...names].sort());
    await keySpace.close();
  });
});
