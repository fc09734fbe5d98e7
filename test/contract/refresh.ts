import { expect } from "vitest";
import type { KeyRequest } from "../../src/model/key-request.js";
import type { Cases, Ground } from "./arrangement.js";
import { changeOf, eventOf, withoutNodes } from "./events.js";
import { keyNotFound, notDir, rootReadOnly, testFailed } from "./refusals.js";

/** Seconds that no run of the tests lasts. */
const LONG = 1000;
const ABOUT_LONG = expect.closeTo(LONG, -2);

/** A permanent file of value "1". */
async function aFile({ keySpace, dir }: Ground) {
  const key = `${dir}/a`;
  const { node } = await keySpace.execute({ action: "set", key, value: "1" });
  return { key, node, index: node.modifiedIndex };
}

/** Every way to refresh the file, which is at `index`. */
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
  "a refresh gives the file a TTL and leaves its value": async (ground) => {
    const { keySpace } = ground;
    for (const place of [0, 1, 2, 3]) {
      const { key, node, index } = await aFile(ground);
      const request = refreshesOf(key, index)[place] ?? { action: "get", key };
      const answer = await keySpace.execute(request);
      expect(answer.action).toBe(request.action);
      expect(answer.node).toMatchObject({ key, value: "1", ttl: ABOUT_LONG });
      expect(answer.prevNode).toEqual(node);
      expect(answer.node.modifiedIndex).toBeGreaterThan(index);
      const read = await keySpace.execute({ action: "get", key });
      expect(read.node).toEqual({ ...answer.node, ttl: ABOUT_LONG });
    }
  },

  "a refresh by update or compare-and-swap keeps the createdIndex": async (ground) => {
    const { key, node, index } = await aFile(ground);
    const [, update, swap] = refreshesOf(key, index);
    for (const request of [update, swap]) {
      if (request === undefined) continue;
      const answer = await ground.keySpace.execute(request);
      expect(answer.node.createdIndex).toBe(node.createdIndex);
    }
  },

  "a refresh by set gives a new createdIndex": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1" });
    const { node } = await keySpace.execute({ action: "set", key, refresh: true, ttl: LONG });
    expect(node.createdIndex).toBe(node.modifiedIndex);
  },

  "a refresh puts the end off": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1", ttl: 2 });
    await keySpace.execute({ action: "update", key, refresh: true, ttl: LONG });
    const control = { action: "set", key: `${dir}/control`, value: "1", ttl: 3 } as const;
    const { node: doomed } = await keySpace.execute(control);
    const waitIndex = doomed.modifiedIndex + 1;
    const expiry = await eventOf(await keySpace.openWatch({ key: doomed.key, waitIndex }));
    expect(expiry.action).toBe("expire");
    const { node } = await keySpace.execute({ action: "get", key });
    expect(node).toMatchObject({ value: "1", ttl: ABOUT_LONG });
  },

  "a refresh with a TTL of 0 lets the file expire, with an event": async (ground) => {
    const { keySpace } = ground;
    const { key } = await aFile(ground);
    const answer = await keySpace.execute({ action: "update", key, refresh: true, ttl: 0 });
    const event = await eventOf(
      await keySpace.openWatch({ key, waitIndex: answer.node.modifiedIndex + 1 }),
    );
    expect(event).toMatchObject({ action: "expire", prevNode: { value: "1" } });
  },

  "a refresh tells no live watch": async (ground) => {
    const { keySpace } = ground;
    const { key, index } = await aFile(ground);
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

  "a refresh is left out of history": async (ground) => {
    const { keySpace, dir } = ground;
    const { key, index } = await aFile(ground);
    for (const request of refreshesOf(key, index).toReversed()) await keySpace.execute(request);
    const last = await keySpace.execute({ action: "update", key, value: "2" });
    for (const request of [{ key }, { key: dir, recursive: true }]) {
      const watch = await keySpace.openWatch({ ...request, waitIndex: index + 1 });
      expect((await eventOf(watch)).node).toEqual(last.node);
    }
  },

  "an index from before a refresh matches no more": async (ground) => {
    const { keySpace } = ground;
    const { key, index } = await aFile(ground);
    const answer = await keySpace.execute({ action: "update", key, refresh: true, ttl: LONG });
    const removal = keySpace.execute({ action: "compareAndDelete", key, prevIndex: index });
    await expect(removal).rejects.toMatchObject(
      testFailed(`[${index} != ${answer.node.modifiedIndex}]`),
    );
  },

  "a refresh on a condition that does not match is refused with 101": async (ground) => {
    const { keySpace } = ground;
    const { key, node, index } = await aFile(ground);
    const refresh = { action: "compareAndSwap", key, refresh: true, ttl: LONG } as const;
    const byValue = keySpace.execute({ ...refresh, prevValue: "two" });
    await expect(byValue).rejects.toMatchObject(testFailed("[two != 1]"));
    const byIndex = keySpace.execute({ ...refresh, prevIndex: 1 });
    await expect(byIndex).rejects.toMatchObject(testFailed(`[1 != ${index}]`));
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(node);
  },

  "a refresh of what is missing is refused with 100": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: dir, dir: true });
    for (const request of refreshesOf(`${dir}/nope`, 1)) {
      await expect(keySpace.execute(request)).rejects.toMatchObject(keyNotFound(`${dir}/nope`));
    }
  },

  "a refresh below a file is refused with 104": async (ground) => {
    const { key } = await aFile(ground);
    for (const request of refreshesOf(`${key}/x`, 1)) {
      await expect(ground.keySpace.execute(request)).rejects.toMatchObject(notDir(key));
    }
  },

  "a refresh of the root is refused with 107": async ({ keySpace }) => {
    for (const request of refreshesOf("/", 1)) {
      await expect(keySpace.execute(request)).rejects.toMatchObject(rootReadOnly());
    }
  },

  "a refresh may spare the nodes": async (ground) => {
    const { keySpace } = ground;
    const { key } = await aFile(ground);
    const refresh = { action: "update", key, refresh: true, ttl: LONG } as const;
    const receipt = await keySpace.execute({ ...refresh, noValueOnSuccess: true });
    expect(receipt.action).toBe("update");
    expect(withoutNodes(receipt)).toBe(true);
    expect((await keySpace.execute({ action: "get", key })).node.ttl).toEqual(ABOUT_LONG);
  },

  "a directory is refreshed by an update": async ({ keySpace, dir }) => {
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
