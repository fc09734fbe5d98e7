import { expect } from "vitest";
import type { Cases, Ground } from "./arrangement.js";

import { keyNotFound, notDir, notFile, testFailed } from "./refusals.js";

/** A file to compare with, of value "1". */
async function aFile({ keySpace, dir }: Ground) {
  const key = `${dir}/a`;
  const { node } = await keySpace.execute({ action: "set", key, value: "1" });
  return { key, node, index: node.modifiedIndex };
}

export const conditions: Cases = {
  "a compare-and-swap keeps the createdIndex and shows the node before": async (ground) => {
    const { keySpace } = ground;
    const { key, node, index } = await aFile(ground);
    const answer = await keySpace.execute({
      action: "compareAndSwap",
      key,
      prevValue: "1",
      value: "2",
    });
    const modifiedIndex = answer.node.modifiedIndex;
    expect(answer.action).toBe("compareAndSwap");
    expect(answer.node).toEqual({ key, value: "2", modifiedIndex, createdIndex: index });
    expect(answer.prevNode).toEqual(node);
    expect(modifiedIndex).toBeGreaterThan(index);
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(answer.node);
  },

  "a compare-and-swap goes by value, by index, or by both": async (ground) => {
    const { keySpace } = ground;
    const { key, index } = await aFile(ground);
    const swap = { action: "compareAndSwap", key } as const;
    const second = await keySpace.execute({ ...swap, prevValue: "1", value: "2" });
    expect(second.node.modifiedIndex).toBeGreaterThan(index);
    const third = await keySpace.execute({
      ...swap,
      prevIndex: second.node.modifiedIndex,
      value: "3",
    });
    const both = { prevValue: "3", prevIndex: third.node.modifiedIndex };
    const fourth = await keySpace.execute({ ...swap, ...both, value: "" });
    expect(fourth.node.value).toBe("");
  },

  "a compare-and-swap that does not match is refused with 101, which shows given and actual":
    async (ground) => {
      const { keySpace } = ground;
      const { key, node, index } = await aFile(ground);
      const swap = { action: "compareAndSwap", key, value: "2" } as const;
      const refused = [
        [{ prevValue: "two" }, "[two != 1]"],
        [{ prevIndex: 1 }, `[1 != ${index}]`],
        [{ prevValue: "two", prevIndex: 1 }, `[two != 1] [1 != ${index}]`],
        [{ prevValue: "two", prevIndex: index }, "[two != 1]"],
        [{ prevValue: "1", prevIndex: 1 }, `[1 != ${index}]`],
      ] as const;
      for (const [condition, detail] of refused) {
        const write = keySpace.execute({ ...swap, ...condition });
        await expect(write).rejects.toMatchObject(testFailed(detail));
      }
      expect((await keySpace.execute({ action: "get", key })).node).toEqual(node);
    },

  "a compare-and-delete removes the file and shows it": async (ground) => {
    const { keySpace } = ground;
    const { key, node, index } = await aFile(ground);
    const answer = await keySpace.execute({ action: "compareAndDelete", key, prevValue: "1" });
    const modifiedIndex = answer.node.modifiedIndex;
    expect(answer.action).toBe("compareAndDelete");
    expect(answer.node).toEqual({ key, modifiedIndex, createdIndex: index });
    expect(answer.prevNode).toEqual(node);
    expect(modifiedIndex).toBeGreaterThan(index);
    const read = keySpace.execute({ action: "get", key });
    await expect(read).rejects.toMatchObject(keyNotFound(key));
  },

  "a compare-and-delete goes by value, by index, or by both": async (ground) => {
    const { keySpace } = ground;
    const conditions = [
      () => ({ prevValue: "1" }),
      (index: number) => ({ prevIndex: index }),
      (index: number) => ({ prevValue: "1", prevIndex: index }),
    ];
    for (const condition of conditions) {
      const { key, index } = await aFile(ground);
      await keySpace.execute({ action: "compareAndDelete", key, ...condition(index) });
      const read = keySpace.execute({ action: "get", key });
      await expect(read).rejects.toMatchObject(keyNotFound(key));
    }
  },

  "a compare-and-delete that does not match is refused with 101": async (ground) => {
    const { keySpace } = ground;
    const { key, node, index } = await aFile(ground);
    const refused = [
      [{ prevValue: "two" }, "[two != 1]"],
      [{ prevIndex: 1 }, `[1 != ${index}]`],
      [{ prevValue: "two", prevIndex: 1 }, `[two != 1] [1 != ${index}]`],
    ] as const;
    for (const [condition, detail] of refused) {
      const write = keySpace.execute({ action: "compareAndDelete", key, ...condition });
      await expect(write).rejects.toMatchObject(testFailed(detail));
    }
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(node);
  },

  "a refused comparison tells the store's index": async (ground) => {
    const { key, index } = await aFile(ground);
    const error = await ground.keySpace
      .execute({ action: "compareAndDelete", key, prevValue: "two" })
      .catch((error) => error);
    expect(error.index).toBeGreaterThanOrEqual(index);
  },

  "a condition on what is missing is refused with 100, which names the first that is missing":
    async ({ keySpace, dir }) => {
      await keySpace.execute({ action: "set", key: dir, dir: true });
      for (const key of [`${dir}/nope`, `${dir}/nope/x`]) {
        const condition = { key, prevValue: "1" };
        const swap = keySpace.execute({ action: "compareAndSwap", ...condition, value: "2" });
        await expect(swap).rejects.toMatchObject(keyNotFound(`${dir}/nope`));
        const removal = keySpace.execute({ action: "compareAndDelete", ...condition });
        await expect(removal).rejects.toMatchObject(keyNotFound(`${dir}/nope`));
      }
    },

  "a condition below a file is refused with 104": async (ground) => {
    const { keySpace } = ground;
    const { key } = await aFile(ground);
    const condition = { key: `${key}/x`, prevIndex: 1 };
    const swap = keySpace.execute({ action: "compareAndSwap", ...condition, value: "2" });
    await expect(swap).rejects.toMatchObject(notDir(key));
    const removal = keySpace.execute({ action: "compareAndDelete", ...condition });
    await expect(removal).rejects.toMatchObject(notDir(key));
  },

  "a condition on a directory is refused with 102, even when its index matches": async ({
    keySpace,
    dir,
  }) => {
    const { node } = await keySpace.execute({ action: "set", key: dir, dir: true });
    const condition = { key: dir, prevIndex: node.modifiedIndex };
    const swap = keySpace.execute({ action: "compareAndSwap", ...condition, value: "2" });
    await expect(swap).rejects.toMatchObject(notFile(dir));
    const removal = keySpace.execute({ action: "compareAndDelete", ...condition });
    await expect(removal).rejects.toMatchObject(notFile(dir));
  },

  "a compare-and-delete of the root is refused with 102 without a detail": async ({ keySpace }) => {
    const removal = keySpace.execute({ action: "compareAndDelete", key: "/", prevValue: "1" });
    await expect(removal).rejects.toMatchObject(notFile(""));
  },

  "of compare-and-swaps on one index at the same time exactly one wins": async (ground) => {
    const { keySpace } = ground;
    const { key, index } = await aFile(ground);
    const swaps = Array.from({ length: 20 }, (_, count) =>
      keySpace.execute({
        action: "compareAndSwap",
        key,
        prevIndex: index,
        value: `swapped ${count}`,
      }),
    );
    const settled = await Promise.allSettled(swaps);
    const [winner, ...others] = settled.filter(({ status }) => status === "fulfilled");
    expect(others).toEqual([]);
    const { node } = await keySpace.execute({ action: "get", key });
    expect(winner).toMatchObject({ value: { node } });
    const detail = `[${index} != ${node.modifiedIndex}]`;
    for (const outcome of settled) {
      if (outcome !== winner) expect(outcome).toMatchObject({ reason: testFailed(detail) });
    }
  },
};
