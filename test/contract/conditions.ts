import { expect } from "vitest";
import type { CaseContext, Cases } from "./arrangement.js";

import { keyNotFound, notDir, notFile, testFailed } from "./refusals.js";

/** Creates a file with the value "1". */
async function createFile({ keySpace, dir }: CaseContext) {
  const key = `${dir}/a`;
  const { node } = await keySpace.execute({ action: "set", key, value: "1" });
  return { key, node, index: node.modifiedIndex };
}

export const conditions: Cases = {
  "a compare-and-swap keeps the createdIndex and returns the previous node": async (context) => {
    const { keySpace } = context;
    const { key, node, index } = await createFile(context);
    const response = await keySpace.execute({
      action: "compareAndSwap",
      key,
      prevValue: "1",
      value: "2",
    });
    const modifiedIndex = response.node.modifiedIndex;
    expect(response.action).toBe("compareAndSwap");
    expect(response.node).toEqual({ key, value: "2", modifiedIndex, createdIndex: index });
    expect(response.prevNode).toEqual(node);
    expect(modifiedIndex).toBeGreaterThan(index);
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(response.node);
  },

  "a compare-and-swap can compare the value, the index, or both": async (context) => {
    const { keySpace } = context;
    const { key, index } = await createFile(context);
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

  "a compare-and-swap that does not match is refused with 101, and the error shows the given and actual values":
    async (context) => {
      const { keySpace } = context;
      const { key, node, index } = await createFile(context);
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

  "a compare-and-delete removes the file and returns it as prevNode": async (context) => {
    const { keySpace } = context;
    const { key, node, index } = await createFile(context);
    const response = await keySpace.execute({ action: "compareAndDelete", key, prevValue: "1" });
    const modifiedIndex = response.node.modifiedIndex;
    expect(response.action).toBe("compareAndDelete");
    expect(response.node).toEqual({ key, modifiedIndex, createdIndex: index });
    expect(response.prevNode).toEqual(node);
    expect(modifiedIndex).toBeGreaterThan(index);
    const read = keySpace.execute({ action: "get", key });
    await expect(read).rejects.toMatchObject(keyNotFound(key));
  },

  "a compare-and-delete can compare the value, the index, or both": async (context) => {
    const { keySpace } = context;
    const conditions = [
      () => ({ prevValue: "1" }),
      (index: number) => ({ prevIndex: index }),
      (index: number) => ({ prevValue: "1", prevIndex: index }),
    ];
    for (const condition of conditions) {
      const { key, index } = await createFile(context);
      await keySpace.execute({ action: "compareAndDelete", key, ...condition(index) });
      const read = keySpace.execute({ action: "get", key });
      await expect(read).rejects.toMatchObject(keyNotFound(key));
    }
  },

  "a compare-and-delete that does not match is refused with 101": async (context) => {
    const { keySpace } = context;
    const { key, node, index } = await createFile(context);
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

  "the error of a failed comparison contains the store's index": async (context) => {
    const { key, index } = await createFile(context);
    const error = await context.keySpace
      .execute({ action: "compareAndDelete", key, prevValue: "two" })
      .catch((error) => error);
    expect(error.index).toBeGreaterThanOrEqual(index);
  },

  "a condition on a missing key is refused with 100, and the error names the first missing node of the path":
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

  "a condition below a file is refused with 104": async (context) => {
    const { keySpace } = context;
    const { key } = await createFile(context);
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

  "exactly one of several concurrent compare-and-swaps of one index succeeds": async (context) => {
    const { keySpace } = context;
    const { key, index } = await createFile(context);
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
