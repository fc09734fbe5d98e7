import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { V3Api } from "../../src/etcd3/v3-api.js";
import type { KeyWatch } from "../../src/key-space/key-space.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { nextTurn } from "../../src/time/event-loop.js";
import { eventOf } from "../contract/events.js";
import { toBase64 } from "../support/base64.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { apiOf, V3Tool } from "./v3-tools.js";

/** Takes this number of events of a watch, then closes it. */
async function take(watch: KeyWatch, count: number): Promise<readonly EtcdResponse[]> {
  const events: EtcdResponse[] = [];
  for await (const event of watch) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

/** All events of a watch until it ends by itself. */
async function all(watch: KeyWatch): Promise<readonly EtcdResponse[]> {
  const events: EtcdResponse[] = [];
  for await (const event of watch) events.push(event);
  return events;
}

/** An API whose streams deliver nothing while they are held. */
function withSlowStreams(api: V3Api) {
  let open = (): void => {};
  let gate = Promise.resolve();
  const slow: V3Api = {
    call: (rpc, request, call) => api.call(rpc, request, call),
    close: () => api.close(),
    async watch(request, call) {
      const stream = await api.watch(request, call);
      const next = async () => {
        const message = await stream.next();
        await gate;
        return message;
      };
      const { endpoint, received } = stream;
      return { endpoint, received, next, close: () => stream.close() };
    },
  };
  const hold = (): void => {
    gate = new Promise((resolve) => {
      open = resolve;
    });
  };
  return { api: slow, hold, release: () => open() };
}

const said = ({ action, node }: EtcdResponse): string => `${action} ${node.key}`;

for (const release of ["3.4", "3.6", "3.7"] as const) {
  describeEtcdSideBySide(release, `watches on the v3 API of etcd ${release}`, () => {
    let etcd: EtcdCluster;
    let keySpace: V3KeySpace;
    let tool: V3Tool;
    let dir: string;
    beforeAll(async () => {
      etcd = await startEtcd({ release, v2: false });
      keySpace = new V3KeySpace(apiOf(etcd.urls));
      tool = new V3Tool(etcd.urls);
    });
    afterAll(async () => {
      tool?.close();
      await keySpace?.close();
      await etcd?.stop();
    });
    beforeEach(() => {
      dir = `/${randomUUID()}`;
    });

    /** Changes five keys in one transaction, as only v3 can. */
    function putFive(): Promise<unknown> {
      const puts = [1, 2, 3, 4, 5].map((number) => ({
        request_put: { key: toBase64(`${dir}/${number}`), value: toBase64("x") },
      }));
      return tool.ask("kv/txn", { success: puts });
    }

    const index = async (): Promise<number> =>
      (await keySpace.execute({ action: "get", key: "/", quorum: true })).etcdIndex;

    async function watchersOfEtcd(): Promise<number> {
      const metrics = await (await fetch(`${etcd.urls[0]}/metrics`)).text();
      return Number(/^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(metrics)?.[1]);
    }

    it("opens a watch of the past also when all watches end at this moment", async () => {
      const since = await index();
      await putFive();
      for (let turns = 0; turns < 10; turns++) {
        keySpace.endWatches();
        const opening = keySpace.openWatch({ key: dir, recursive: true, waitIndex: since + 1 });
        for (let turn = 0; turn < turns; turn++) await nextTurn();
        keySpace.endWatches();
        const watch = await opening;
        watch.close();
      }
    });

    it("all watches are one watch on etcd", async () => {
      const keys = Array.from({ length: 100 }, (_, number) => `${dir}/${number}`);
      const watches = await Promise.all(keys.map((key) => keySpace.openWatch({ key })));
      expect(await watchersOfEtcd()).toBe(1);
      for (const key of keys) await tool.put(key, "1");
      const events = await Promise.all(watches.map(eventOf));
      expect(events.map(({ node }) => node.key)).toEqual(keys);
    });

    it("puts and deletes of v3 tools are sets and deletes", async () => {
      const key = `${dir}/a`;
      const watch = await keySpace.openWatch({ key, stream: true });
      await tool.put(key, "1");
      await tool.put(key, "2");
      await tool.del(key);
      const [first, second, third] = await take(watch, 3);
      expect(first).toMatchObject({ action: "set", node: { key, value: "1" } });
      expect(first).not.toHaveProperty("prevNode");
      expect(second).toMatchObject({ action: "set", prevNode: { value: "1" } });
      expect(third).toMatchObject({ action: "delete", prevNode: { value: "2" } });
    });

    it("a key whose lease expired is an expire; a key that was deleted before is a delete", async () => {
      const { ID } = await tool.ask("lease/grant", { TTL: "5" });
      const watch = await keySpace.openWatch({ key: dir, recursive: true, stream: true });
      await tool.put(`${dir}/a`, "1", String(ID));
      await tool.put(`${dir}/b`, "1", String(ID));
      await tool.del(`${dir}/b`);
      const events = await take(watch, 4);
      expect(events.map(said)).toEqual([
        `set ${dir}/a`,
        `set ${dir}/b`,
        `delete ${dir}/b`,
        `expire ${dir}/a`,
      ]);
      expect(events[0]?.node.expiration).toMatch(/Z$/);
    });

    it("a transaction of five keys is five events, also for a watch that ends by itself", async () => {
      const before = await index();
      const stream = await keySpace.openWatch({ key: dir, recursive: true, stream: true });
      const live = await keySpace.openWatch({ key: dir, recursive: true });
      await putFive();
      const late = await keySpace.openWatch({ key: dir, recursive: true, waitIndex: before });
      const five = [1, 2, 3, 4, 5].map((number) => `set ${dir}/${number}`);
      expect((await take(stream, 5)).map(said)).toEqual(five);
      expect((await all(live)).map(said)).toEqual(five);
      expect((await all(late)).map(said)).toEqual(five);
    });

    it("if a poll delivers one event of an index, the next poll reports the skipped ones", async () => {
      const single = new V3KeySpace(apiOf(etcd.urls), { oneEventPerPoll: true });
      try {
        const poll = await single.openWatch({ key: dir, recursive: true });
        await putFive();
        const [event, ...others] = await all(poll);
        expect(others).toEqual([]);
        const waitIndex = (event?.node.modifiedIndex ?? 0) + 1;
        const next = single.openWatch({ key: dir, recursive: true, waitIndex });
        await expect(next).rejects.toMatchObject({ errorCode: 401 });
        // A watch of a single event missed nothing.
        (await single.openWatch({ key: `${dir}/3`, waitIndex })).close();
        // A client that reads again can continue.
        const read = await single.execute({ action: "get", key: dir, quorum: true });
        expect(read.node.nodes).toHaveLength(5);
        const resumed = { key: dir, recursive: true, waitIndex: read.etcdIndex + 1 };
        const watch = await single.openWatch(resumed);
        await tool.put(`${dir}/6`, "x");
        expect(said(await eventOf(watch))).toBe(`set ${dir}/6`);
      } finally {
        await single.close();
      }
    });

    it("the delete of a directory by a v3 tool is delivered key by key", async () => {
      await tool.put(`${dir}/d/1`, "x");
      await tool.put(`${dir}/d/2`, "x");
      const watch = await keySpace.openWatch({ key: dir, recursive: true, stream: true });
      await tool.delPrefix(`${dir}/d/`);
      expect((await take(watch, 2)).map(said)).toEqual([`delete ${dir}/d/1`, `delete ${dir}/d/2`]);
    });

    it("keys outside the prefix are not delivered", async () => {
      const part = new V3KeySpace(apiOf(etcd.urls), { keyPrefix: dir });
      try {
        const watch = await part.openWatch({ key: "/", recursive: true });
        await tool.put(`${dir}bar/a`, "beside");
        await tool.put(`${dir}/a`, "inside");
        expect(await eventOf(watch)).toMatchObject({ node: { key: "/a", value: "inside" } });
      } finally {
        await part.close();
      }
    });

    it("compacted changes are cleared; a watch from a later index continues", async () => {
      const key = `${dir}/a`;
      await tool.put(key, "1");
      const first = await index();
      await tool.put(key, "2");
      await tool.put(key, "3");
      const last = await index();
      await tool.ask("kv/compaction", { revision: String(last), physical: true });
      const late = new V3KeySpace(apiOf(etcd.urls));
      try {
        await expect(late.openWatch({ key, waitIndex: first })).rejects.toMatchObject({
          name: "EventIndexClearedError",
          errorCode: 401,
          index: last,
        });
        const watch = await late.openWatch({ key, waitIndex: last });
        expect(await eventOf(watch)).toMatchObject({ node: { value: "3" } });
      } finally {
        await late.close();
      }
    });

    it("a watch that reconnects after a compaction ends with 401, and a new one continues", async ({
      expect,
    }) => {
      const late = new V3KeySpace(apiOf(etcd.urls), { idleTimeout: 0 });
      try {
        const key = `${dir}/a`;
        await tool.put(key, "1");
        const first = await late.openWatch({ key, waitIndex: await index() });
        expect(await eventOf(first)).toMatchObject({ node: { value: "1" } });
        await expect.poll(watchersOfEtcd).toBeLessThan(2);
        await tool.put(key, "2");
        await tool.put(key, "3");
        const last = await index();
        await tool.ask("kv/compaction", { revision: String(last), physical: true });
        const missed = late.openWatch({ key, waitIndex: first.etcdIndex + 1 });
        await expect(missed).rejects.toMatchObject({ errorCode: 401 });
        const next = await late.openWatch({ key });
        await tool.put(key, "4");
        expect(await eventOf(next)).toMatchObject({ node: { value: "4" } });
      } finally {
        await late.close();
      }
    });

    it("a tree without changes on a busy etcd is not affected by compaction", async ({
      expect,
    }) => {
      const quiet = new V3KeySpace(apiOf(etcd.urls), { keyPrefix: dir, pollInterval: 100 });
      try {
        const watch = await quiet.openWatch({ key: "/a" });
        for (let number = 0; number < 600; number += 100) {
          const puts = Array.from({ length: 100 }, () => tool.put("/neighbour", "x"));
          await Promise.all(puts);
        }
        // The tree has had only a heartbeat.
        const busy = await index();
        await expect.poll(() => quiet.metrics.index).toBeGreaterThan(busy - 500);
        const revision = String(quiet.metrics.index);
        await tool.ask("kv/compaction", { revision, physical: true });
        // The watch is reopened several times.
        await new Promise((resolve) => setTimeout(resolve, 500));
        await tool.put(`${dir}/a`, "1");
        expect(await eventOf(watch)).toMatchObject({ node: { key: "/a", value: "1" } });
      } finally {
        await quiet.close();
      }
    });

    it("history is read again for a watch with an earlier index", async () => {
      const key = `${dir}/a`;
      await tool.put(key, "1");
      const first = await index();
      await tool.put(key, "2");
      const late = new V3KeySpace(apiOf(etcd.urls));
      try {
        (await late.openWatch({ key: `${dir}/other` })).close();
        const watches = [first, first + 1, first].map((waitIndex) =>
          late.openWatch({ key, waitIndex }).then(eventOf),
        );
        const values = (await Promise.all(watches)).map(({ node }) => node.value);
        expect(values).toEqual(["1", "2", "1"]);
      } finally {
        await late.close();
      }
    });

    it("a watch from the past does not claim an index whose events are still pending", async () => {
      const { api, hold, release } = withSlowStreams(apiOf(etcd.urls));
      // A watch on etcd that ends while its streams are held could not be opened again.
      const held = new V3KeySpace(api, { idleTimeout: 600_000 });
      try {
        (await held.openWatch({ key: dir })).close();
        hold();
        await tool.put(`${dir}/a`, "1");
        const request = { key: dir, recursive: true, waitIndex: await index() };
        const watch = await held.openWatch(request);
        expect(watch.etcdIndex).toBeLessThan(request.waitIndex);
        release();
        expect(said(await eventOf(watch))).toBe(`set ${dir}/a`);
        // A watch without an index begins at the current one.
        const fresh = await held.openWatch({ key: dir });
        expect(fresh.etcdIndex).toBe(await index());
        fresh.close();
      } finally {
        await held.close();
      }
    });

    it("nothing is lost when the connection breaks or goes dead", async () => {
      const proxy = await FaultProxy.before(etcd.urls[0]);
      const cut = new V3KeySpace(apiOf([proxy.url]), { pollInterval: 300 });
      try {
        const watch = await cut.openWatch({ key: dir, recursive: true, stream: true });
        const events = take(watch, 4);
        await tool.put(`${dir}/1`, "x");
        await proxy.become("hang");
        await tool.put(`${dir}/2`, "x");
        await proxy.become("pass");
        await tool.put(`${dir}/3`, "x");
        await proxy.cut();
        await tool.put(`${dir}/4`, "x");
        expect((await events).map(said)).toEqual([1, 2, 3, 4].map((name) => `set ${dir}/${name}`));
      } finally {
        await cut.close();
        await proxy.close();
      }
    });
  });
}
