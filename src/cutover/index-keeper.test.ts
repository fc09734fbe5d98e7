import { describe, expect, it } from "vitest";
import { EtcdClient } from "../client/etcd-client.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import { readIndex } from "../key-space/shared/read-state.js";
import { nextTurn } from "../time/event-loop.js";
import { IndexKeeper } from "./index-keeper.js";
import type { NodeIndexes } from "./kept-indexes.js";

/** What v3 has, and a v2 cluster. */
class Rig implements AsyncDisposable {
  readonly v3 = new Map<string, NodeIndexes>();
  /** What clients saw before the last switch. */
  readonly before = new Map<string, NodeIndexes>();
  writes = 0;
  readonly source = new EtcdClient({ keySpace: new MemoryKeySpace() });
  keeper = this.newKeeper();

  /** @param first index from which on nodes are not copies */
  newKeeper(first = 1): IndexKeeper {
    const { v3 } = this;
    const kept = {
      below: async () => new Map(v3),
      write: async (entries: readonly (readonly [string, NodeIndexes | undefined])[]) => {
        for (const [path, indexes] of entries) {
          this.writes++;
          if (indexes === undefined) v3.delete(path);
          else v3.set(path, indexes);
        }
      },
    };
    const { source, before } = this;
    const tops = ["/", "/locks/_held"];
    const from = { source, tops, first, before: { below: async () => before } };
    return new IndexKeeper(from, kept, undefined);
  }

  async end(): Promise<number> {
    await this.keeper.hold();
    const { index } = await readIndex(this.source.keySpace, {});
    return index;
  }

  /** Waits until the keeper has seen all changes up to an index. */
  async seen(index: number): Promise<void> {
    const { keySpace } = this.source;
    const request = { key: "/", recursive: true, from: "now", state: "none" } as const;
    const subscription = keySpace.subscribe({ ...request, bufferSize: 10, pollInterval: 10 });
    void subscription.next();
    await subscription.reached(index);
    subscription.close();
    await nextTurn();
  }

  async finish(end: number): Promise<void> {
    await this.keeper.endAt(end);
    await this.keeper.finish();
  }

  /** Those of the nodes that v2 has. */
  async differences(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const top of ["/", "/locks/_held"]) {
      const { node } = await this.source.getNode(top, { recursive: true });
      const all = [node];
      for (const { key, modifiedIndex, createdIndex, nodes = [] } of all) {
        all.push(...nodes);
        const kept = this.v3.get(key);
        const isKept = kept?.modifiedIndex === modifiedIndex && kept.createdIndex === createdIndex;
        if (key !== "/" && !isKept) found.push(key);
      }
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.keeper[Symbol.asyncDispose]();
    await this.source.close();
  }
}

describe("IndexKeeper", () => {
  it("keeps the indexes of everything, as it is at the end", async () => {
    await using rig = new Rig();
    const { source } = rig;
    await source.setNode("/kept", "1");
    await source.setNode("/a/b/c", "1");
    await source.setNode("/locks/_held/1", "1");
    await rig.keeper.start();
    expect(await rig.differences()).toEqual([]);
    await source.setNode("/a/b/c", "2");
    await source.setNode("/a/b/c", "3");
    await source.updateNode("/kept", "2");
    await source.setNode("/new/directory/file", "1");
    await source.setNode("/locks/_held/2", "1");
    await source.deleteNode("/locks/_held/1");
    await source.deleteNode("/a", { recursive: true });
    await source.setNode("/a/b/c/d", "1");
    await rig.finish(await rig.end());
    expect(await rig.differences()).toEqual([]);
  });

  it("leaves out what happens after the end", async () => {
    await using rig = new Rig();
    const { source } = rig;
    await source.setNode("/kept", "1");
    await source.setNode("/locks/_held/1", "1");
    await rig.keeper.start();
    const end = await rig.end();
    await source.setNode("/kept", "2");
    await source.setNode("/late", "1");
    await rig.keeper.endAt(end);
    await source.setNode("/kept", "3");
    await source.setNode("/later", "1");
    const { index: now } = await readIndex(source.keySpace, {});
    await rig.seen(now);
    await rig.keeper.finish();
    expect(await rig.differences()).toEqual(["/kept", "/late", "/later"]);
    expect(rig.v3.get("/kept")?.modifiedIndex).toBeLessThan(end);
  });

  it("takes refreshes from the nodes at the end, unless they are later", async () => {
    await using rig = new Rig();
    const { source } = rig;
    await source.setNode("/locks/_held/1", "1");
    await source.setNode("/leased/1", "1", { ttl: 100 });
    await source.setNode("/leased/2", "1", { ttl: 100 });
    await rig.keeper.start();
    await source.refreshNode("/leased/1", 100);
    const end = await rig.end();
    await source.refreshNode("/leased/2", 100);
    await rig.keeper.endAt(end);
    const { node } = await source.getNode("/leased");
    rig.keeper.addLeased((node.nodes ?? []).map(({ nodes: _, ...entry }) => entry as never));
    await rig.keeper.finish();
    expect(await rig.differences()).toEqual(["/leased/2"]);
    expect(rig.v3.has("/leased/2")).toBe(false);
  });

  it("keeps the indexes from before the last switch, as long as a node is its copy", async () => {
    await using rig = new Rig();
    const { source, before, v3 } = rig;
    for (const name of ["kept", "changed", "replaced"]) await source.setNode(`/${name}`, "1");
    const { etcdIndex } = await source.setNode("/unknown", "1");
    for (const name of ["kept", "changed", "replaced"]) {
      before.set(`/${name}`, { modifiedIndex: 2, createdIndex: 1 });
    }
    rig.keeper = rig.newKeeper(etcdIndex + 1);
    await source.updateNode("/changed", "2");
    await rig.keeper.start();
    const { etcdIndex: replaced } = await source.setNode("/replaced", "2");
    const { etcdIndex: last } = await source.updateNode("/changed", "3");
    await rig.finish(await rig.end());
    expect(v3).toEqual(
      new Map([
        ["/kept", { modifiedIndex: 2, createdIndex: 1 }],
        ["/changed", { modifiedIndex: last, createdIndex: 1 }],
        ["/replaced", { modifiedIndex: replaced, createdIndex: replaced }],
        ["/unknown", { modifiedIndex: etcdIndex, createdIndex: etcdIndex }],
      ]),
    );
  });

  it("leaves nothing of an attempt before that is wrong now", async () => {
    await using rig = new Rig();
    const { source, v3 } = rig;
    for (const name of ["kept", "removed", "removed-later"]) await source.setNode(`/${name}`, "1");
    await rig.keeper.start();
    await rig.keeper[Symbol.asyncDispose]();
    await source.deleteNode("/removed");
    rig.keeper = rig.newKeeper();
    await rig.keeper.start();
    await source.deleteNode("/removed-later");
    await source.setNode("/never-written", "1");
    await source.deleteNode("/never-written");
    await rig.finish(await rig.end());
    expect([...v3.keys()]).toEqual(["/kept"]);
    expect(rig.writes).toBe(5);
  });

  it("writes only what is new after an attempt before", async () => {
    await using rig = new Rig();
    const { source } = rig;
    await source.setNode("/locks/_held/1", "1");
    for (let at = 0; at < 1_200; at++) await source.setNode(`/many/${at}`, "1");
    await rig.keeper.start();
    await rig.keeper[Symbol.asyncDispose]();
    rig.writes = 0;
    rig.keeper = rig.newKeeper();
    await source.setNode("/many/7", "2");
    await rig.keeper.start();
    expect(rig.writes).toBe(1);
    await source.setNode("/many/8", "2");
    await rig.finish(await rig.end());
    expect(await rig.differences()).toEqual([]);
  });
});
