import { expect } from "vitest";
import type { KeyRequest } from "../../src/model/key-request.js";
import { shortTtl } from "../support/cpu-share.js";
import type { CaseContext, Cases } from "./arrangement.js";
import { changeOf, eventOf, withoutNodes } from "./events.js";
import { keyNotFound, notDir, rootReadOnly, testFailed } from "./refusals.js";

/** Seconds. Longer than any run of the tests. */
const LONG = 1000;
const ABOUT_LONG = expect.closeTo(LONG, -2);

/** Creates a file with the value "1" and without a TTL. */
async function createFile({ keySpace, dir }: CaseContext) {
  const key = `${dir}/a`;
  const { node } = await keySpace.execute({ action: "set", key, value: "1" });
  return { key, node, index: node.modifiedIndex };
}

/** Every request that refreshes the file. `index` is its `modifiedIndex`. */
function refreshesOf(key: string, index: number): readonly KeyRequest[] {
  const refresh = { key, refresh: true, ttl: LONG } as const;
  return [
    { action: "set", ...refresh },
    { action: "update", ...refresh },
    { action: "compareAndSwap", ...refresh, prevValue: "1" },
    { action: "compareAndSwap", ...refresh, prevIndex: index },
  ];
}

export const refresh: Cases = {
  "a refresh gives the file a TTL and keeps its value": async (context) => {
    const { keySpace } = context;
    for (const place of [0, 1, 2, 3]) {
      const { key, node, index } = await createFile(context);
      const request = refreshesOf(key, index)[place] ?? { action: "get", key };
      const response = await keySpace.execute(request);
      expect(response.action).toBe(request.action);
      expect(response.node).toMatchObject({ key, value: "1", ttl: ABOUT_LONG });
      expect(response.prevNode).toEqual(node);
      expect(response.node.modifiedIndex).toBeGreaterThan(index);
      const read = await keySpace.execute({ action: "get", key });
      expect(read.node).toEqual({ ...response.node, ttl: ABOUT_LONG });
    }
  },

  "a refresh with update or compare-and-swap keeps the createdIndex": async (context) => {
    const { key, node, index } = await createFile(context);
    const [, update, swap] = refreshesOf(key, index);
    for (const request of [update, swap]) {
      if (request === undefined) continue;
      const response = await context.keySpace.execute(request);
      expect(response.node.createdIndex).toBe(node.createdIndex);
    }
  },

  "a refresh with set gives a new createdIndex": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1" });
    const { node } = await keySpace.execute({ action: "set", key, refresh: true, ttl: LONG });
    expect(node.createdIndex).toBe(node.modifiedIndex);
  },

  "a refresh postpones the expiry": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1", ttl: shortTtl() });
    await keySpace.execute({ action: "update", key, refresh: true, ttl: LONG });
    const ttl = shortTtl() + 1;
    const control = { action: "set", key: `${dir}/control`, value: "1", ttl } as const;
    const { node: expiring } = await keySpace.execute(control);
    const waitIndex = expiring.modifiedIndex + 1;
    const expiry = await eventOf(await keySpace.openWatch({ key: expiring.key, waitIndex }));
    expect(expiry.action).toBe("expire");
    const { node } = await keySpace.execute({ action: "get", key });
    expect(node).toMatchObject({ value: "1", ttl: ABOUT_LONG });
  },

  "a refresh with a TTL of 0 makes the file expire with an event": async (context) => {
    const { keySpace } = context;
    const { key } = await createFile(context);
    const response = await keySpace.execute({ action: "update", key, refresh: true, ttl: 0 });
    const event = await eventOf(
      await keySpace.openWatch({ key, waitIndex: response.node.modifiedIndex + 1 }),
    );
    expect(event).toMatchObject({ action: "expire", prevNode: { value: "1" } });
  },

  "a refresh causes no event for a live watch": async (context) => {
    const { keySpace } = context;
    const { key, index } = await createFile(context);
    const watch = await keySpace.openWatch({ key });
    const swapped = refreshesOf(key, index).toReversed();
    for (const request of swapped) await keySpace.execute(request);
    const { node: refreshed } = await keySpace.execute({ action: "get", key });
    const last = await keySpace.execute({ action: "set", key, value: "2" });
    const event = await eventOf(watch);
    expect(changeOf(event)).toEqual({
      ...changeOf(last),
      prevNode: { ...refreshed, ttl: ABOUT_LONG },
    });
  },

  "the history contains no refreshes": async (context) => {
    const { keySpace, dir } = context;
    const { key, index } = await createFile(context);
    for (const request of refreshesOf(key, index).toReversed()) await keySpace.execute(request);
    const last = await keySpace.execute({ action: "update", key, value: "2" });
    for (const request of [{ key }, { key: dir, recursive: true }]) {
      const watch = await keySpace.openWatch({ ...request, waitIndex: index + 1 });
      expect((await eventOf(watch)).node).toEqual(last.node);
    }
  },

  "an index from before a refresh no longer matches": async (context) => {
    const { keySpace } = context;
    const { key, index } = await createFile(context);
    const response = await keySpace.execute({ action: "update", key, refresh: true, ttl: LONG });
    const removal = keySpace.execute({ action: "compareAndDelete", key, prevIndex: index });
    await expect(removal).rejects.toMatchObject(
      testFailed(`[${index} != ${response.node.modifiedIndex}]`),
    );
  },

  "a refresh with a condition that does not match is refused with 101": async (context) => {
    const { keySpace } = context;
    const { key, node, index } = await createFile(context);
    const refresh = { action: "compareAndSwap", key, refresh: true, ttl: LONG } as const;
    const byValue = keySpace.execute({ ...refresh, prevValue: "two" });
    await expect(byValue).rejects.toMatchObject(testFailed("[two != 1]"));
    const byIndex = keySpace.execute({ ...refresh, prevIndex: 1 });
    await expect(byIndex).rejects.toMatchObject(testFailed(`[1 != ${index}]`));
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(node);
  },

  "a refresh of a missing key is refused with 100": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: dir, dir: true });
    for (const request of refreshesOf(`${dir}/nope`, 1)) {
      await expect(keySpace.execute(request)).rejects.toMatchObject(keyNotFound(`${dir}/nope`));
    }
  },

  "a refresh below a file is refused with 104": async (context) => {
    const { key } = await createFile(context);
    for (const request of refreshesOf(`${key}/x`, 1)) {
      await expect(context.keySpace.execute(request)).rejects.toMatchObject(notDir(key));
    }
  },

  "a refresh of the root is refused with 107": async ({ keySpace }) => {
    for (const request of refreshesOf("/", 1)) {
      await expect(keySpace.execute(request)).rejects.toMatchObject(rootReadOnly());
    }
  },

  "a refresh with noValueOnSuccess omits the nodes": async (context) => {
    const { keySpace } = context;
    const { key } = await createFile(context);
    const refresh = { action: "update", key, refresh: true, ttl: LONG } as const;
    const receipt = await keySpace.execute({ ...refresh, noValueOnSuccess: true });
    expect(receipt.action).toBe("update");
    expect(withoutNodes(receipt)).toBe(true);
    expect((await keySpace.execute({ action: "get", key })).node.ttl).toEqual(ABOUT_LONG);
  },

  "an update can refresh a directory": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "create", key: dir, dir: true });
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const refresh = { action: "update", key: dir, refresh: true, ttl: LONG } as const;
    const { node } = await keySpace.execute(refresh);
    expect(node).toMatchObject({ key: dir, dir: true, ttl: ABOUT_LONG });
    expect((await keySpace.execute({ action: "get", key: dir })).node).toMatchObject({
      ttl: ABOUT_LONG,
      nodes: [{ key: `${dir}/a` }],
    });
  },
};
