import { once } from "node:events";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { describeOnBothServers } from "./both-servers.js";
import {
  answer,
  type Body,
  findNodeEtcd,
  type NodeEtcd,
  type NodeEtcdWatcher,
  refusal,
} from "./node-etcd.js";
import { run } from "./run.js";

describeOnBothServers("node-etcd", findNodeEtcd(), ({ NodeEtcd, directory }, server) => {
  let etcd: NodeEtcd;
  beforeAll(() => {
    etcd = new NodeEtcd(server().urls);
  });

  describe("keys", () => {
    it("are set, read and deleted", async () => {
      const set = await answer((done) => etcd.set("/k/a", "1", done));
      expect(set.body).toEqual({ action: "set", node: nodeOf("/k/a", "1") });
      const { body, headers } = await answer((done) => etcd.get("k/a", done));
      expect(body).toEqual({ action: "get", node: set.body.node });
      expect(headers).toMatchObject({
        "content-type": "application/json",
        "x-etcd-cluster-id": expect.stringMatching(/^[0-9a-f]+$/),
        "x-etcd-index": String(set.body.node.modifiedIndex),
        "x-raft-index": expect.stringMatching(/^\d+$/),
        "x-raft-term": expect.stringMatching(/^\d+$/),
      });
      expect((await answer((done) => etcd.del("k/a", done))).body).toMatchObject({
        action: "delete",
        prevNode: { value: "1" },
      });
    });

    it("hold any text", async () => {
      const value = "größer & 100 % + <b>\n\u2028";
      await answer((done) => etcd.set("/k/text", value, done));
      expect((await answer((done) => etcd.get("/k/text", done))).body.node.value).toBe(value);
    });

    it("are refused with the error of etcd", async () => {
      await answer((done) => etcd.set("/k/file", "1", done));
      await answer((done) => etcd.set("/k/full/x", "1", done));
      const create = { prevExist: false };
      const update = { prevExist: true };
      expect(await refusal((done) => etcd.get("/k/none", done))).toEqual(
        refused(100, "Key not found", "/k/none"),
      );
      expect(await refusal((done) => etcd.set("/k/none", "1", update, done))).toEqual(
        refused(100, "Key not found", "/k/none"),
      );
      expect(await refusal((done) => etcd.set("/k/file", "1", create, done))).toEqual(
        refused(105, "Key already exists", "/k/file"),
      );
      expect(await refusal((done) => etcd.set("/k/file/x", "1", done))).toEqual(
        refused(104, "Not a directory", "/k/file"),
      );
      expect(await refusal((done) => etcd.rmdir("/k/full", done))).toEqual(
        refused(108, "Directory not empty", "/k/full"),
      );
      expect(await refusal((done) => etcd.set("/k/a", "1", { ttl: "x" }, done))).toMatchObject({
        errorCode: 202,
        error: { index: 0 },
      });
    });

    it("expire", async () => {
      const { node } = (await answer((done) => etcd.set("/k/ttl", "1", { ttl: 1 }, done))).body;
      expect(node).toMatchObject({ ttl: 1, expiration: expect.stringMatching(/^20.*Z$/) });
      const expired = await answer((done) =>
        etcd.watchIndex("/k/ttl", node.modifiedIndex + 1, done),
      );
      expect(expired.body).toMatchObject({ action: "expire", prevNode: { value: "1" } });
      expect(await refusal((done) => etcd.get("/k/ttl", done))).toMatchObject({ errorCode: 100 });
    });

    it("are swapped and deleted on condition", async () => {
      const { node } = (await answer((done) => etcd.set("/k/cas", "1", done))).body;
      const unexpected = await refusal((done) => etcd.compareAndSwap("/k/cas", "2", "9", done));
      expect(unexpected).toEqual(refused(101, "Compare failed", "[9 != 1]"));
      const swapped = await answer((done) => etcd.compareAndSwap("/k/cas", "2", "1", done));
      expect(swapped.body).toMatchObject({ action: "compareAndSwap", prevNode: node });
      const { modifiedIndex } = swapped.body.node;
      const old = { prevIndex: modifiedIndex - 1 };
      expect(await refusal((done) => etcd.set("/k/cas", "3", old, done))).toMatchObject({
        errorCode: 101,
      });
      await answer((done) => etcd.set("/k/cas", "3", { prevIndex: modifiedIndex }, done));
      expect(await refusal((done) => etcd.compareAndDelete("/k/cas", "9", done))).toMatchObject({
        errorCode: 101,
      });
      const deleted = await answer((done) => etcd.compareAndDelete("/k/cas", "3", done));
      expect(deleted.body.action).toBe("compareAndDelete");
    });

    it("are named in order", async () => {
      const first = await answer((done) => etcd.create("/k/queue", "first", done));
      const second = await answer((done) => etcd.create("/k/queue", "second", done));
      const keys = [first, second].map(({ body }) => body.node.key);
      expect(keys).toEqual([...keys].sort());
      const sorted = await answer((done) => etcd.get("/k/queue", { sorted: true }, done));
      expect(sorted.body.node.nodes.map(({ value }: { value: string }) => value)).toEqual([
        "first",
        "second",
      ]);
    });

    it("are in directories", async () => {
      const made = await answer((done) => etcd.mkdir("/k/dir", done));
      expect(made.body.node).toMatchObject({ key: "/k/dir", dir: true });
      expect(await refusal((done) => etcd.mkdir("/k/dir", done))).toEqual(
        refused(102, "Not a file", "/k/dir"),
      );
      await answer((done) => etcd.set("/k/dir/sub/x", "1", done));
      const read = await answer((done) => etcd.get("/k/dir", { recursive: true }, done));
      expect(read.body.node.nodes).toEqual([
        expect.objectContaining({ key: "/k/dir/sub", nodes: [nodeOf("/k/dir/sub/x", "1")] }),
      ]);
      const gone = await answer((done) => etcd.rmdir("/k/dir", { recursive: true }, done));
      expect(gone.body).toMatchObject({ action: "delete", node: { key: "/k/dir", dir: true } });
    });

    it("are refreshed without a value", async () => {
      await answer((done) => etcd.set("/k/refreshed", "1", { ttl: 50 }, done));
      const refresh = { value: undefined, prevExist: true, refresh: true, ttl: 100 };
      const { body } = await answer((done) =>
        etcd.raw("PUT", "v2/keys/k/refreshed", null, refresh, done),
      );
      expect(body).toMatchObject({ action: "update", node: { value: "1", ttl: 100 } });
    });

    it("are set and read without a callback, too", async () => {
      // In a process of its own, as it blocks: the server may be in this one.
      const script = `
        const Etcd = require("node-etcd");
        const etcd = new Etcd(${JSON.stringify(server().urls)});
        const { body } = etcd.setSync("/k/sync", "1");
        const { err } = etcd.getSync("/k/none");
        console.log(body.action, etcd.getSync("/k/sync").body.node.value, err.errorCode);`;
      expect(await run(process.execPath, ["--eval", script], { cwd: directory })).toEqual({
        code: 0,
        stdout: "set 1 100\n",
        stderr: expect.any(String),
      });
    });
  });

  describe("watches", () => {
    it("show a change of the past", async () => {
      const { node } = (await answer((done) => etcd.set("/w/past", "1", done))).body;
      await answer((done) => etcd.set("/w/past", "2", done));
      const seen = await answer((done) => etcd.watchIndex("/w/past", node.modifiedIndex, done));
      expect(seen.body).toEqual({ action: "set", node });
    });

    it("show a change to come", async () => {
      const { node } = (await answer((done) => etcd.set("/w/coming", "1", done))).body;
      const seen = answer((done) => etcd.watchIndex("/w/coming", node.modifiedIndex + 1, done));
      await answer((done) => etcd.set("/w/coming", "2", done));
      expect((await seen).body).toMatchObject({ node: { value: "2" }, prevNode: node });
    });

    it("are cancelled", async () => {
      const seen = vi.fn();
      etcd.watch("/w/cancelled", seen).cancel();
      await answer((done) => etcd.set("/w/cancelled", "1", done));
      expect(seen).not.toHaveBeenCalled();
    });
  });

  describe("a watcher", () => {
    it("tells of change after change, by action too", async () => {
      const index = await indexNow(etcd);
      const watcher = etcd.watcher("/watched", index + 1, { recursive: true });
      const actions: string[] = [];
      watcher.on("change", ({ action, node }: Body) => actions.push(`${action} ${node.key}`));
      const deleted = once(watcher, "delete");
      await answer((done) => etcd.set("/watched/a", "1", done));
      await answer((done) => etcd.create("/watched", "2", done));
      await answer((done) => etcd.set("/watched/a", "3", { prevValue: 1 }, done));
      await answer((done) => etcd.del("/watched/a", done));
      expect(await deleted).toMatchObject([{ prevNode: { value: "3" } }, { "x-etcd-index": any }]);
      expect(actions).toEqual([
        "set /watched/a",
        expect.stringMatching(/^create \/watched\/\d{20}$/),
        "compareAndSwap /watched/a",
        "delete /watched/a",
      ]);
      await stopped(watcher);
    });

    it("goes on after changes that were forgotten", async () => {
      const { node } = (await answer((done) => etcd.set("/resynced", "0", done))).body;
      await fillHistory(etcd);
      const watcher = etcd.watcher("/resynced", node.modifiedIndex);
      const [error] = await once(watcher, "resync");
      expect(error).toMatchObject({
        errorCode: 401,
        message: "The event in requested index is outdated and cleared",
        error: { cause: expect.stringContaining(`/${node.modifiedIndex}]`) },
      });
      const changed = once(watcher, "change");
      await answer((done) => etcd.set("/resynced", "1", done));
      expect(await changed).toMatchObject([{ node: { value: "1" } }, any]);
      await stopped(watcher);
    });
  });

  describe("the cluster", () => {
    it("has the version of etcd 3.4", async () => {
      const version = { etcdserver: expect.stringMatching(/^3\.4\./), etcdcluster: "3.4.0" };
      // The leader decides on the cluster's version some time after the start.
      await vi.waitFor(async () => {
        expect((await answer((done) => etcd.version(done))).body).toEqual(version);
      }, 60_000);
    });

    it("has statistics", async () => {
      const self = await answer((done) => etcd.selfStats(done));
      expect(self.body).toMatchObject({
        id: any,
        state: "StateLeader",
        leaderInfo: { leader: any },
      });
      const leader = await answer((done) => etcd.leaderStats(done));
      expect(leader.body).toEqual({ leader: self.body.id, followers: {} });
      const store = await answer((done) => etcd.raw("GET", "v2/stats/store", null, done));
      expect(store.body).toMatchObject({ setsSuccess: expect.any(Number), watchers: 0 });
    });

    it("names its machines and leader, which the client asks for where etcd 0.4 had them", async () => {
      expect(await refusal((done) => etcd.machines(done))).toMatchObject({ errorCode: 100 });
      expect((await answer((done) => etcd.leader(done))).body).toBe("404 page not found\n");
      const machines = await answer((done) => etcd.raw("GET", "v2/machines", null, done));
      expect(machines.body).toBe(server().urls.join(", "));
      const leader = await answer((done) => etcd.raw("GET", "v2/members/leader", null, done));
      expect(leader.body).toMatchObject({ id: any, clientURLs: server().urls });
    });
  });
});

const any: unknown = expect.anything();

const nodeOf = (key: string, value: string) => ({
  key,
  value,
  modifiedIndex: expect.any(Number),
  createdIndex: expect.any(Number),
});

const refused = (errorCode: number, message: string, cause: string) => ({
  errorCode,
  error: { errorCode, message, cause, index: expect.any(Number) },
  message,
});

async function indexNow(etcd: NodeEtcd): Promise<number> {
  const { headers } = await answer((done) => etcd.get("/", done));
  return Number(headers["x-etcd-index"]);
}

/** etcd holds the last thousand. */
async function fillHistory(etcd: NodeEtcd): Promise<void> {
  const set = () => answer((done) => etcd.set("/filling", "", done));
  for (let count = 0; count < 1100; count += 50) await Promise.all(Array.from({ length: 50 }, set));
}

async function stopped(watcher: NodeEtcdWatcher): Promise<void> {
  const stop = once(watcher, "stop");
  watcher.stop();
  await stop;
}
