import { expect } from "vitest";
import type { Cases } from "./arrangement.js";

import { nodeExist, notFile } from "./refusals.js";

export const directories: Cases = {
  "a set with dir creates a directory": async ({ keySpace, dir }) => {
    const response = await keySpace.execute({ action: "set", key: dir, dir: true });
    const index = response.node.modifiedIndex;
    expect(response.action).toBe("set");
    expect(response.node).toEqual({
      key: dir,
      dir: true,
      modifiedIndex: index,
      createdIndex: index,
    });
    expect(response).not.toHaveProperty("prevNode");
    expect((await keySpace.execute({ action: "get", key: dir })).node).toEqual(response.node);
  },

  "a set of an existing directory is refused with 102": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: dir, dir: true });
    const again = keySpace.execute({ action: "set", key: dir, dir: true });
    await expect(again).rejects.toMatchObject(notFile(dir));
    const refreshed = keySpace.execute({ action: "set", key: dir, refresh: true, ttl: 1000 });
    await expect(refreshed).rejects.toMatchObject(notFile(dir));
  },

  "a create with dir creates a directory, and a second one is refused with 105": async ({
    keySpace,
    dir,
  }) => {
    const response = await keySpace.execute({ action: "create", key: dir, dir: true });
    expect(response.action).toBe("create");
    expect(response.node).toMatchObject({ key: dir, dir: true });
    expect(response.node).not.toHaveProperty("value");
    const again = keySpace.execute({ action: "create", key: dir, dir: true });
    await expect(again).rejects.toMatchObject(nodeExist(dir));
  },

  "a set with dir replaces a file with a directory and returns the file as prevNode": async ({
    keySpace,
    dir,
  }) => {
    for (const refresh of [false, true]) {
      const key = `${dir}/${refresh}`;
      const { node } = await keySpace.execute({ action: "set", key, value: "1" });
      const response = await keySpace.execute({
        action: "set",
        key,
        dir: true,
        refresh,
        ttl: 1000,
      });
      expect(response.action).toBe("set");
      expect(response.prevNode).toEqual(node);
      expect(response.node).toMatchObject({ key, dir: true });
      expect(response.node).not.toHaveProperty("value");
      await keySpace.execute({ action: "create", key: `${key}/x`, value: "2" });
    }
  },

  "an update of a directory keeps its createdIndex and its children": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const before = await keySpace.execute({ action: "get", key: dir });
    const response = await keySpace.execute({ action: "update", key: dir, dir: true, ttl: 1000 });
    const { createdIndex } = before.node;
    expect(response.action).toBe("update");
    expect(response.node).toMatchObject({ key: dir, dir: true, createdIndex });
    expect(response.node).toHaveProperty("expiration");
    expect(response.node).not.toHaveProperty("nodes");
    expect(response.prevNode).toEqual({
      key: dir,
      dir: true,
      modifiedIndex: createdIndex,
      createdIndex,
    });
    const after = await keySpace.execute({ action: "get", key: dir });
    expect(after.node.nodes).toEqual(before.node.nodes);
  },

  "an update of a directory returns a new modifiedIndex but stores the old one": async ({
    keySpace,
    dir,
  }) => {
    const before = await keySpace.execute({ action: "set", key: dir, dir: true });
    const response = await keySpace.execute({ action: "update", key: dir, dir: true });
    expect(response.node.modifiedIndex).toBeGreaterThan(before.node.modifiedIndex);
    const after = await keySpace.execute({ action: "get", key: dir });
    expect(after.node.modifiedIndex).toBe(before.node.modifiedIndex);
  },

  "a directory remains after its last child is deleted": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const { node } = await keySpace.execute({ action: "get", key: dir });
    await keySpace.execute({ action: "delete", key: `${dir}/a` });
    const { nodes, ...without } = node;
    expect(nodes).toHaveLength(1);
    expect((await keySpace.execute({ action: "get", key: dir })).node).toEqual(without);
  },

  "a directory's indexes stay the same when its children change": async ({ keySpace, dir }) => {
    const { node } = await keySpace.execute({ action: "set", key: dir, dir: true });
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    await keySpace.execute({ action: "update", key: `${dir}/a`, value: "2" });
    const after = await keySpace.execute({ action: "get", key: dir });
    expect(after.node).toMatchObject(node);
  },

  "directories can be nested 60 levels deep": async ({ keySpace, dir }) => {
    const key = `${dir}${"/d".repeat(60)}`;
    const { node } = await keySpace.execute({ action: "set", key, value: "1" });
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(node);
    let level = (await keySpace.execute({ action: "get", key: dir, recursive: true })).node;
    for (let depth = 0; depth < 60; depth++) {
      expect(level.nodes).toHaveLength(1);
      level = level.nodes?.[0] ?? level;
    }
    expect(level).toEqual(node);
  },
};
