import { expect } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import type {
  CompareAndSwapRequest,
  SetRequest,
  UpdateRequest,
} from "../../src/model/key-request.js";
import { expirationTime } from "../../src/model/node.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { shortTtl } from "../support/cpu-share.js";
import type { Cases } from "./arrangement.js";
import { eventOf, eventsUntil } from "./events.js";
import { keyNotFound } from "./refusals.js";

/** Seconds. Longer than any run of the tests. */
const LONG = 1000;
const ABOUT_LONG = expect.closeTo(LONG, -2);

/** Every request that writes "2" to a file with the value "1". */
function writesOf(key: string): readonly (SetRequest | UpdateRequest | CompareAndSwapRequest)[] {
  return [
    { action: "set", key, value: "2" },
    { action: "update", key, value: "2" },
    { action: "compareAndSwap", key, value: "2", prevValue: "1" },
  ];
}

/** Returns the first event of a key after the write whose response is `written`. */
async function nextAfter(keySpace: KeySpace, written: EtcdResponse): Promise<EtcdResponse> {
  const waitIndex = written.node.modifiedIndex + 1;
  return eventOf(await keySpace.openWatch({ key: written.node.key, waitIndex }));
}

export const ttl: Cases = {
  "a node with a TTL shows the remaining seconds and the expiration time": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/a`;
    const { node } = await keySpace.execute({ action: "create", key, value: "1", ttl: LONG });
    expect(node).toMatchObject({ ttl: ABOUT_LONG, expiration: expect.stringMatching(/T.*Z$/) });
    const expected = Date.now() + LONG * 1000;
    expect(Math.abs(Number(expirationTime(node)) - expected)).toBeLessThan(60_000);
    const read = await keySpace.execute({ action: "get", key });
    expect(read.node).toEqual({ ...node, ttl: ABOUT_LONG });
  },

  "a TTL can be decades long": async ({ keySpace, dir }) => {
    const request = { action: "set", key: `${dir}/a`, value: "1", ttl: 1_000_000_000 } as const;
    const { node } = await keySpace.execute(request);
    expect(node.ttl).toBeGreaterThan(999_999_000);
    expect(expirationTime(node)?.getUTCFullYear()).toBeGreaterThan(2050);
  },

  "a file expires with an event, and its key can be created again": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const written = await keySpace.execute({ action: "set", key, value: "1", ttl: 1 });
    const event = await nextAfter(keySpace, written);
    const { createdIndex, modifiedIndex, expiration } = written.node;
    expect(event.action).toBe("expire");
    expect(event.node).toEqual({ key, modifiedIndex: event.node.modifiedIndex, createdIndex });
    expect(event.prevNode).toMatchObject({ key, value: "1", modifiedIndex, createdIndex });
    expect(event.prevNode?.expiration).toBe(expiration);
    expect(event.node.modifiedIndex).toBeGreaterThan(written.node.modifiedIndex);
    const read = keySpace.execute({ action: "get", key });
    await expect(read).rejects.toMatchObject(keyNotFound(key));
    await keySpace.execute({ action: "create", key, value: "2" });
  },

  "a file does not expire before its expiration time": async ({ keySpace, dir }) => {
    const written = await keySpace.execute({
      action: "set",
      key: `${dir}/a`,
      value: "1",
      ttl: 1,
    });
    await nextAfter(keySpace, written);
    expect(Date.now()).toBeGreaterThanOrEqual(Number(expirationTime(written.node)));
  },

  "a file that ends after its directory has its own TTL when the directory's is extended": async ({
    keySpace,
    dir,
  }) => {
    const file = { key: `${dir}/d/a`, value: "1" } as const;
    const directory = { key: `${dir}/d`, dir: true } as const;
    await keySpace.execute({ action: "create", ...directory, ttl: 5 * LONG });
    await keySpace.execute({ action: "set", ...file, ttl: 6 * LONG });
    await keySpace.execute({ action: "update", ...directory, ttl: 9 * LONG });
    const { node } = await keySpace.execute({ action: "get", key: file.key });
    expect(node.ttl).toEqual(expect.closeTo(6 * LONG, -2));
  },

  "a file keeps its TTL when that of its directory is first shortened, then removed": async ({
    keySpace,
    dir,
  }) => {
    const file = { key: `${dir}/d/a`, value: "1" } as const;
    const directory = { action: "update", key: `${dir}/d`, dir: true } as const;
    await keySpace.execute({ action: "set", ...file, ttl: 6 * LONG });
    await keySpace.execute({ ...directory, ttl: 5 * LONG });
    await keySpace.execute({ ...directory, ttl: 4 * LONG, refresh: true });
    await keySpace.execute(directory);
    const { node } = await keySpace.execute({ action: "get", key: file.key });
    expect(node.ttl).toEqual(expect.closeTo(6 * LONG, -2));
  },

  "a TTL of 0 expires at once": async ({ keySpace, dir }) => {
    const request = { action: "set", key: `${dir}/a`, value: "1", ttl: 0 } as const;
    const written = await keySpace.execute(request);
    expect(written.node).toHaveProperty("expiration");
    expect(written.node).not.toHaveProperty("ttl");
    expect((await nextAfter(keySpace, written)).action).toBe("expire");
  },

  "nodes expire in the order of their expiration times, each at its own index": async ({
    keySpace,
    dir,
  }) => {
    const later = { action: "set", key: `${dir}/later`, value: "1", ttl: shortTtl() + 1 } as const;
    const second = nextAfter(keySpace, await keySpace.execute(later));
    const sooner = { action: "set", key: `${dir}/sooner`, value: "1", ttl: 1 } as const;
    const first = nextAfter(keySpace, await keySpace.execute(sooner));
    const { node } = await first;
    expect((await second).node.modifiedIndex).toBeGreaterThan(node.modifiedIndex);
  },

  "a write without a TTL makes the node permanent": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    for (const request of writesOf(key)) {
      const before = await keySpace.execute({ action: "set", key, value: "1", ttl: LONG });
      const response = await keySpace.execute(request);
      expect(response.prevNode).toEqual({ ...before.node, ttl: ABOUT_LONG });
      expect(response.node).not.toHaveProperty("ttl");
      expect(response.node).not.toHaveProperty("expiration");
      expect((await keySpace.execute({ action: "get", key })).node).toEqual(response.node);
    }
  },

  "a write with a TTL gives a TTL to a permanent node": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    for (const request of writesOf(key)) {
      await keySpace.execute({ action: "set", key, value: "1" });
      await keySpace.execute({ ...request, ttl: LONG });
      const { node } = await keySpace.execute({ action: "get", key });
      expect(node).toMatchObject({ value: "2", ttl: ABOUT_LONG });
    }
  },

  "a write with a longer TTL postpones the expiry": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1", ttl: shortTtl() });
    await keySpace.execute({ action: "update", key, value: "2", ttl: LONG });
    const ttl = shortTtl() + 1;
    const control = { action: "set", key: `${dir}/control`, value: "1", ttl } as const;
    await nextAfter(keySpace, await keySpace.execute(control));
    const { node } = await keySpace.execute({ action: "get", key });
    expect(node).toMatchObject({ value: "2", ttl: ABOUT_LONG });
  },

  "a directory expires with all its contents in one event": async ({ keySpace, dir }) => {
    const key = `${dir}/d`;
    const watch = await keySpace.openWatch({ key: dir, recursive: true, stream: true });
    const created = await keySpace.execute({ action: "create", key, dir: true, ttl: shortTtl() });
    const child = await keySpace.execute({ action: "set", key: `${key}/a`, value: "1", ttl: LONG });
    await keySpace.execute({ action: "set", key: `${key}/_hidden/b`, value: "1" });
    await nextAfter(keySpace, created);
    const last = await keySpace.execute({ action: "set", key: `${dir}/last`, value: "1" });
    const events = await eventsUntil(watch, last.node.modifiedIndex);
    expect(events.map(({ action }) => action)).toEqual(["create", "set", "expire", "set"]);
    const { createdIndex } = created.node;
    const [, , expiry] = events;
    expect(expiry?.node).toMatchObject({ key, dir: true, createdIndex });
    expect(expiry?.prevNode).toMatchObject({ key, dir: true, createdIndex });
    expect(expiry?.prevNode?.expiration).toBe(created.node.expiration);
    expect(expiry?.prevNode).not.toHaveProperty("nodes");
    for (const removed of [child.node.key, `${key}/_hidden/b`]) {
      const read = keySpace.execute({ action: "get", key: removed });
      await expect(read).rejects.toMatchObject(keyNotFound(key));
    }
  },

  "the expiry of a directory is delivered to a watch of a node in it": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/d`;
    await keySpace.execute({ action: "create", key, dir: true, ttl: shortTtl() });
    const child = await keySpace.execute({ action: "set", key: `${key}/a/b`, value: "1" });
    const event = await nextAfter(keySpace, child);
    expect(event).toMatchObject({ action: "expire", node: { key, dir: true } });
  },

  "a child can expire before its directory": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "create", key: dir, dir: true, ttl: LONG });
    const request = { action: "set", key: `${dir}/a`, value: "1", ttl: 1 } as const;
    const event = await nextAfter(keySpace, await keySpace.execute(request));
    expect(event).toMatchObject({ action: "expire", node: { key: `${dir}/a` } });
    const { node } = await keySpace.execute({ action: "get", key: dir });
    expect(node).toEqual({
      key: dir,
      dir: true,
      ttl: ABOUT_LONG,
      expiration: expect.any(String),
      modifiedIndex: expect.any(Number),
      createdIndex: expect.any(Number),
    });
  },

  "a directory's TTL can be changed and removed": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "create", key: dir, dir: true, ttl: 5 * LONG });
    await keySpace.execute({ action: "update", key: dir, dir: true, ttl: LONG });
    expect((await keySpace.execute({ action: "get", key: dir })).node.ttl).toEqual(ABOUT_LONG);
    const permanent = await keySpace.execute({ action: "update", key: dir, dir: true });
    expect(permanent.node).not.toHaveProperty("expiration");
    expect(permanent.prevNode).toMatchObject({ ttl: ABOUT_LONG });
    const { node } = await keySpace.execute({ action: "get", key: dir });
    expect(node).not.toHaveProperty("expiration");
  },
};
