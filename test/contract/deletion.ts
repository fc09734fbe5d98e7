import { expect } from "vitest";
import type { Cases } from "./arrangement.js";

import { dirNotEmpty, keyNotFound, notDir, notFile, rootReadOnly } from "./refusals.js";

export const deletion: Cases = {
  "a delete removes the file and returns it as prevNode": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const before = await keySpace.execute({ action: "set", key, value: "1" });
    const response = await keySpace.execute({ action: "delete", key });
    const { createdIndex } = before.node;
    expect(response.action).toBe("delete");
    expect(response.node).toEqual({
      key,
      modifiedIndex: response.node.modifiedIndex,
      createdIndex,
    });
    expect(response.prevNode).toEqual(before.node);
    expect(response.node.modifiedIndex).toBeGreaterThan(before.node.modifiedIndex);
    const read = keySpace.execute({ action: "get", key });
    await expect(read).rejects.toMatchObject(keyNotFound(key));
  },

  "dir and recursive have no effect on the delete of a file": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    for (const option of [{ dir: true }, { recursive: true }, { dir: true, recursive: true }]) {
      const { node } = await keySpace.execute({ action: "set", key, value: "1" });
      const response = await keySpace.execute({ action: "delete", key, ...option });
      expect(response.prevNode).toEqual(node);
      expect(response.node).not.toHaveProperty("dir");
    }
  },

  "a delete of a missing key is refused with 100, and the error names the first missing node of the path":
    async ({ keySpace, dir }) => {
      await keySpace.execute({ action: "set", key: dir, dir: true });
      for (const key of [`${dir}/nope`, `${dir}/nope/x`]) {
        for (const option of [{}, { dir: true }, { recursive: true }]) {
          const removal = keySpace.execute({ action: "delete", key, ...option });
          await expect(removal).rejects.toMatchObject(keyNotFound(`${dir}/nope`));
        }
      }
    },

  "a delete below a file is refused with 104": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: `${dir}/file`, value: "1" });
    const removal = keySpace.execute({ action: "delete", key: `${dir}/file/x`, recursive: true });
    await expect(removal).rejects.toMatchObject(notDir(`${dir}/file`));
  },

  "a delete of a directory without dir or recursive is refused with 102": async ({
    keySpace,
    dir,
  }) => {
    await keySpace.execute({ action: "set", key: dir, dir: true });
    for (const option of [{}, { dir: false, recursive: false }]) {
      const removal = keySpace.execute({ action: "delete", key: dir, ...option });
      await expect(removal).rejects.toMatchObject(notFile(dir));
    }
  },

  "a delete with dir removes an empty directory": async ({ keySpace, dir }) => {
    const before = await keySpace.execute({ action: "set", key: dir, dir: true });
    const response = await keySpace.execute({ action: "delete", key: dir, dir: true });
    const { createdIndex } = before.node;
    expect(response.node).toEqual({
      key: dir,
      dir: true,
      modifiedIndex: response.node.modifiedIndex,
      createdIndex,
    });
    expect(response.prevNode).toEqual(before.node);
    await expect(keySpace.execute({ action: "get", key: dir })).rejects.toMatchObject({
      errorCode: 100,
    });
  },

  "a delete with dir of a directory with children, even hidden ones, is refused with 108": async ({
    keySpace,
    dir,
  }) => {
    for (const child of ["a", "_hidden"]) {
      const key = `${dir}/${child}`;
      await keySpace.execute({ action: "set", key: `${key}/${child}`, value: "1" });
      const removal = keySpace.execute({ action: "delete", key, dir: true });
      await expect(removal).rejects.toMatchObject(dirNotEmpty(key));
    }
  },

  "a recursive delete removes the whole subtree, including hidden keys": async ({
    keySpace,
    dir,
  }) => {
    const keys = [`${dir}/a`, `${dir}/b/c`, `${dir}/b/d/e`, `${dir}/_hidden/f`];
    for (const key of keys) await keySpace.execute({ action: "set", key, value: "1" });
    const response = await keySpace.execute({ action: "delete", key: dir, recursive: true });
    expect(response.action).toBe("delete");
    expect(response.node).toMatchObject({ key: dir, dir: true });
    expect(response.prevNode).toMatchObject({ key: dir, dir: true });
    expect(response.prevNode).not.toHaveProperty("nodes");
    for (const key of keys) {
      const read = keySpace.execute({ action: "get", key });
      await expect(read).rejects.toMatchObject(keyNotFound(dir));
    }
    await keySpace.execute({ action: "set", key: dir, dir: true });
    expect((await keySpace.execute({ action: "get", key: dir })).node).not.toHaveProperty("nodes");
  },

  "a recursive delete keeps siblings whose names share a text prefix": async ({
    keySpace,
    dir,
  }) => {
    for (const name of ["a/x", "ab", "a!", "a0"]) {
      await keySpace.execute({ action: "set", key: `${dir}/${name}`, value: "1" });
    }
    await keySpace.execute({ action: "delete", key: `${dir}/a`, recursive: true });
    const { node } = await keySpace.execute({ action: "get", key: dir, sorted: true });
    expect(node.nodes?.map(({ key }) => key)).toEqual([`${dir}/a!`, `${dir}/a0`, `${dir}/ab`]);
  },

  "the root cannot be deleted": async ({ keySpace }) => {
    for (const option of [{}, { dir: true }, { recursive: true }]) {
      const removal = keySpace.execute({ action: "delete", key: "/", ...option });
      await expect(removal).rejects.toMatchObject(rootReadOnly());
    }
  },

  "a deleted key can be created again": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "create", key, value: "1" });
    const removal = await keySpace.execute({ action: "delete", key });
    const response = await keySpace.execute({ action: "create", key, value: "2" });
    expect(response).not.toHaveProperty("prevNode");
    expect(response.node.createdIndex).toBe(response.node.modifiedIndex);
    expect(response.node.modifiedIndex).toBeGreaterThan(removal.node.modifiedIndex);
  },
};
