import { randomUUID } from "node:crypto";
import { afterAll, test as base, beforeAll, expect } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { decodeLeaseId } from "../../src/key-space/v3/schema/lease-id.js";
import { expirationTime } from "../../src/model/node.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { type Clock, systemClock } from "../../src/time/clock.js";
import { eventOf } from "../contract/events.js";
import { keyNotFound } from "../contract/refusals.js";
import { v3KeySpaceOf } from "../contract/v3.js";
import { toBase64 } from "../support/base64.js";
import { shortTtl } from "../support/cpu-share.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { inBatches } from "../support/in-batches.js";
import { V3Tool } from "./v3-tools.js";

/** Each test has its own directory, so that all wait concurrently. */
const it = base.extend("dir", () => `/${randomUUID()}`).concurrent;

for (const release of ["3.4", "3.7"] as const) {
  describeEtcdSideBySide(release, `TTLs as leases on etcd ${release}`, () => {
    let etcd: EtcdCluster;
    let keySpace: KeySpace;
    let tool: V3Tool;
    beforeAll(async () => {
      etcd = await startEtcd({ release, v2: false });
      keySpace = v3KeySpaceOf(etcd.urls);
      tool = new V3Tool(etcd.urls);
    });
    afterAll(async () => {
      tool?.close();
      await keySpace?.close();
      await etcd?.stop();
    });

    const get = (key: string): Promise<EtcdResponse> => keySpace.execute({ action: "get", key });
    const set = (key: string, ttl?: number): Promise<EtcdResponse> =>
      keySpace.execute({ action: "set", key, value: "1", ...(ttl && { ttl }) });

    async function leaseOf(key: string): Promise<string> {
      const { kvs } = await tool.ask("kv/range", { key: toBase64(key) });
      return Array.isArray(kvs) ? String(kvs[0]?.lease) : "";
    }

    /** Waits for the event of `key` after a response. */
    async function after(key: string, { etcdIndex }: EtcdResponse): Promise<EtcdResponse> {
      return await eventOf(await keySpace.openWatch({ key, waitIndex: etcdIndex + 1 }));
    }

    it("a directory's TTL removes everything below it, by whatever client it was written", async ({
      dir,
    }) => {
      const key = `${dir}/d`;
      await set(`${key}/before`);
      await set(`${key}/sub/deep`);
      await set(`${dir}/other`);
      await keySpace.execute({ action: "update", key, dir: true, ttl: 1000 });
      await set(`${key}/after`);
      await set(`${key}/sub/long`, 2000);
      await keySpace.execute({ action: "create", key: `${key}/q`, value: "", inOrder: true });
      const updated = await keySpace.execute({ action: "update", key, dir: true, ttl: 1 });
      expect(await after(key, updated)).toMatchObject({
        action: "expire",
        node: { key, dir: true },
      });
      await expect(get(key)).rejects.toMatchObject(keyNotFound(key));
      expect((await tool.keys()).filter((found) => found.includes(key))).toEqual([]);
      await get(`${dir}/other`);
    });

    it("a directory's TTL removes the subtree after its client is closed", async ({
      dir,
      expect,
    }) => {
      const key = `${dir}/d`;
      const mortal = v3KeySpaceOf(etcd.urls);
      await mortal.execute({ action: "create", key, dir: true, ttl: 1000 });
      await mortal.execute({ action: "set", key: `${key}/a/b`, value: "1" });
      const last = { action: "update", key, dir: true, ttl: 5 } as const;
      const { node } = await mortal.execute(last);
      await mortal.close();
      await expect.poll(() => tool.keys()).not.toContain(`${key}/a/b`);
      const late = Date.now() - Number(expirationTime(node));
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(60_000);
      expect((await tool.keys()).filter((found) => found.includes(key))).toEqual([]);
    });

    it.for([
      ["in 1970", 0],
      ["in 2200", Date.UTC(2200, 0, 1)],
    ] as const)("a TTL ends for a client whose clock is %s", async ([, start], { dir }) => {
      const key = `${dir}/a`;
      const wrong = v3KeySpaceOf(etcd.urls, "", { clock: clockFrom(start) });
      const ttl = shortTtl();
      const written = await wrong.execute({ action: "set", key, value: "1", ttl });
      expect(written.node.ttl).toBeGreaterThan(0);
      expect(written.node.ttl).toBeLessThanOrEqual(ttl);
      expect((await get(key)).node.ttl).toBeGreaterThan(0);
      expect(await after(key, written)).toMatchObject({ action: "expire" });
      await wrong.close();
    });

    it("an existing key has time left, even if a clock is ahead", async ({ dir }) => {
      const key = `${dir}/a`;
      await set(key, 100);
      const ahead = v3KeySpaceOf(etcd.urls, "", { clock: clockFrom(Date.now() + 1e6) });
      expect((await ahead.execute({ action: "get", key })).node.ttl).toBe(1);
      await ahead.close();
    });

    it("a TTL of 0 reads as 1, and the node expires soon", async ({ dir }) => {
      const key = `${dir}/a`;
      const written = await keySpace.execute({ action: "set", key, value: "1", ttl: 0 });
      expect(written.node).toMatchObject({ ttl: 1, expiration: expect.any(String) });
      expect((await after(key, written)).action).toBe("expire");
    });

    it("a longer TTL of a directory keeps its content", async ({ dir, expect }) => {
      const key = `${dir}/d`;
      await keySpace.execute({ action: "create", key, dir: true, ttl: 7000 });
      await set(`${key}/a`);
      await set(`${key}/sub/b`);
      const own = await set(`${key}/sub/own`, 1);
      await keySpace.execute({ action: "update", key, dir: true, ttl: 9000, refresh: true });
      await expect.poll(() => oursWithin(tool, 6900, 7000)).toEqual([]);
      await after(`${key}/sub/own`, own);
      const { node } = await keySpace.execute({
        action: "get",
        key,
        recursive: true,
        sorted: true,
      });
      expect(node.nodes?.map((child) => child.key)).toEqual([`${key}/a`, `${key}/sub`]);
      expect(node.nodes?.[1]?.nodes?.map((child) => child.key)).toEqual([`${key}/sub/b`]);
      expect(node.nodes?.[0]).not.toHaveProperty("ttl");
    });

    it("removing a directory's TTL keeps the order of its in-order keys", async ({
      dir,
      expect,
    }) => {
      const create = { action: "create", key: dir, value: "", inOrder: true } as const;
      const late = v3KeySpaceOf(etcd.urls);
      // The cache of this process is out of date, and correct again, when it creates its next key.
      await late.execute(create);
      await keySpace.execute({ action: "update", key: dir, dir: true, ttl: 5000 });
      const first = await keySpace.execute(create);
      await keySpace.execute({ action: "update", key: dir, dir: true });
      await expect.poll(() => oursWithin(tool, 4900, 5100)).toEqual([]);
      const second = await late.execute(create);
      expect(second.node.key > first.node.key).toBe(true);
      await late.close();
    });

    it("removing a directory's TTL restores the TTL of a subdirectory", async ({ dir }) => {
      const key = `${dir}/d`;
      await keySpace.execute({ action: "create", key, dir: true, ttl: 1000 });
      const sub = { action: "create", key: `${key}/sub`, dir: true, ttl: 2000 } as const;
      const { node } = await keySpace.execute(sub);
      await set(`${key}/sub/a`);
      await keySpace.execute({ action: "update", key, dir: true });
      expect((await get(key)).node).not.toHaveProperty("ttl");
      const after_ = (await get(`${key}/sub`)).node;
      expect(Math.abs(Number(expirationTime(after_)) - Number(expirationTime(node)))).toBeLessThan(
        2000,
      );
    });

    it("more descendants than fit into one transaction get their directory's TTL", async ({
      dir,
    }) => {
      const key = `${dir}/d`;
      await inBatches(130, (number) => set(`${key}/${number % 10}/${number}`));
      await keySpace.execute({ action: "update", key, dir: true, ttl: 20_000 });
      const lease = await leaseOf(`\0etcdnet/d${key}`);
      await tool.ask("lease/revoke", { ID: lease });
      expect((await tool.keys()).filter((found) => found.includes(key))).toEqual([]);
    });

    it("a file whose directory expires earlier shows no TTL", async ({ dir }) => {
      await keySpace.execute({ action: "create", key: dir, dir: true, ttl: 100 });
      const { node } = await set(`${dir}/a`, 1000);
      expect(node).not.toHaveProperty("ttl");
      expect((await get(`${dir}/a`)).node).toEqual(node);
      const { ttl } = (await set(`${dir}/b`, 50)).node;
      expect(ttl).toBeGreaterThan(40);
      expect(ttl).toBeLessThanOrEqual(50);
    });

    const extend = (key: string): Promise<EtcdResponse> =>
      keySpace.execute({ action: "update", key, dir: true, ttl: 90_000, refresh: true });

    it("a directory that is refreshed does not keep files whose own TTL ends", async ({ dir }) => {
      const key = `${dir}/d`;
      await keySpace.execute({ action: "create", key, dir: true, ttl: 20_000 });
      const create = { action: "create", value: "", ttl: 30_000 } as const;
      const { node } = await keySpace.execute({ ...create, key: `${key}/q`, inOrder: true });
      await keySpace.execute({ ...create, key: `${key}/created` });
      await keySpace.execute({ ...create, key: `${key}/sub/deep` });
      await set(`${key}/set`, 30_000);
      await set(`${key}/updated`);
      const update = { action: "update", key: `${key}/updated`, value: "2", ttl: 30_000 } as const;
      await keySpace.execute(update);
      await extend(key);
      for (const file of [
        node.key,
        ...["/created", "/sub/deep", "/set", "/updated"].map((name) => key + name),
      ]) {
        const lease = await leaseOf(file);
        const { grantedTTL } = await tool.ask("lease/timetolive", { ID: lease });
        expect([file, Math.round(Number(grantedTTL) / 10_000)]).toEqual([file, 3]);
      }
    });

    it("a file that was written again without a TTL has none when its directory is extended", async ({
      dir,
    }) => {
      const key = `${dir}/d`;
      await keySpace.execute({ action: "create", key, dir: true, ttl: 20_000 });
      for (const name of ["set", "swapped", "created"]) await set(`${key}/${name}`, 30_000);
      await set(`${key}/set`);
      const swap = { action: "compareAndSwap", prevValue: "1", value: "2" } as const;
      await keySpace.execute({ ...swap, key: `${key}/swapped` });
      await keySpace.execute({ action: "delete", key: `${key}/created` });
      await keySpace.execute({ action: "create", key: `${key}/created`, value: "2" });
      await extend(key);
      for (const { key: file, ...node } of (await get(key)).node.nodes ?? []) {
        expect([file, node]).toEqual([
          file,
          expect.not.objectContaining({ ttl: expect.anything() }),
        ]);
      }
    });

    it("the TTL of a file survives every change of its directory's", async ({ dir }) => {
      const key = `${dir}/d`;
      await set(`${key}/sub/a`, 30_000);
      for (const ttl of [20_000, 10_000, 40_000, 20_000, 25_000]) {
        await keySpace.execute({ action: "update", key, dir: true, ttl });
      }
      expect((await get(`${key}/sub/a`)).node).not.toHaveProperty("ttl");
      await keySpace.execute({ action: "update", key, dir: true });
      const { ttl } = (await get(`${key}/sub/a`)).node;
      expect(ttl).toBeGreaterThan(25_000);
      expect(ttl).toBeLessThanOrEqual(30_001);
    });

    it("a TTL that is replaced leaves no lease behind", async ({ dir, expect }) => {
      const key = `${dir}/a`;
      await set(key, 500);
      await set(key, 600);
      await keySpace.execute({ action: "set", key, refresh: true, ttl: 700 });
      await set(key);
      await keySpace.execute({ action: "create", key, value: "", ttl: 800 }).catch(() => {});
      await expect.poll(async () => (await oursWithin(tool, 450, 850)).length).toBe(0);
    });

    it("an external lease is looked up, replaced, and not revoked", async ({ dir }) => {
      const key = `${dir}/a`;
      await tool.ask("lease/grant", { ID: "4711", TTL: "500" });
      await tool.put(key, "1", "4711");
      expect((await get(key)).node.ttl).toBeGreaterThan(490);
      expect((await get(dir)).node.nodes?.[0]?.ttl).toBeGreaterThan(490);
      await set(key);
      expect((await get(key)).node).not.toHaveProperty("ttl");
      expect(await tool.leases()).toContain("4711");
      await tool.ask("lease/revoke", { ID: "4711" });
      await get(key);
    });

    it("a plain set removes the TTL of a file that an external client put onto a lease", async ({
      dir,
    }) => {
      const key = `${dir}/a`;
      await set(key);
      await set(key);
      await tool.ask("lease/grant", { ID: "4712", TTL: "500" });
      await tool.put(key, "other", "4712");
      const { node } = await set(key);
      expect(node).not.toHaveProperty("ttl");
      expect((await get(key)).node).toEqual(node);
      await tool.ask("lease/revoke", { ID: "4712" });
      await get(key);
    });

    it("a lease that is revoked by hand removes the key at once", async ({ dir }) => {
      const key = `${dir}/a`;
      const written = await set(key, 300);
      const [lease = ""] = await oursWithin(tool, 250, 350);
      await tool.ask("lease/revoke", { ID: lease });
      await expect(get(key)).rejects.toMatchObject(keyNotFound(key));
      expect((await after(key, written)).node.key).toBe(key);
    });
  });
}

/** Leases of etcdnet that expire within this number of seconds. */
async function oursWithin(tool: V3Tool, from: number, to: number): Promise<readonly string[]> {
  return (await tool.leases()).filter((id) => {
    const end = ((decodeLeaseId(id)?.expiration ?? 0) - Date.now()) / 1000;
    return end > from && end < to;
  });
}

/** A running clock that is wrong. */
function clockFrom(start: number): Clock {
  const skew = start - Date.now();
  return { ...systemClock, now: () => Date.now() + skew };
}
