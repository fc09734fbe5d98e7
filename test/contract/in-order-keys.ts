import { expect } from "vitest";
import type { Cases } from "./arrangement.js";

import { nodeExist, notDir } from "./refusals.js";

const NAME = /^\d{20}$/;

function nameOf({ key }: { readonly key: string }): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

export const inOrderKeys: Cases = {
  "an in-order create gives the child a name of 20 digits": async ({ keySpace, dir }) => {
    const response = await keySpace.execute({
      action: "create",
      key: dir,
      value: "1",
      inOrder: true,
    });
    const index = response.node.modifiedIndex;
    const key = `${dir}/${nameOf(response.node)}`;
    expect(response.action).toBe("create");
    expect(response.node).toEqual({ key, value: "1", modifiedIndex: index, createdIndex: index });
    expect(response).not.toHaveProperty("prevNode");
    expect(nameOf(response.node)).toMatch(NAME);
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(response.node);
  },

  "the name of an in-order child is its createdIndex": async ({ keySpace, dir }) => {
    const { node } = await keySpace.execute({
      action: "create",
      key: dir,
      value: "1",
      inOrder: true,
    });
    expect(Number(nameOf(node))).toBe(node.createdIndex);
  },

  "names increase in the order of creation": async ({ keySpace, dir }) => {
    const names: string[] = [];
    for (const value of ["1", "2", "3", "4", "5"]) {
      const { node } = await keySpace.execute({ action: "create", key: dir, value, inOrder: true });
      names.push(nameOf(node));
    }
    expect(names).toEqual([...new Set(names)].sort());
  },

  "concurrent in-order creates get distinct names, in the order of their indexes": async ({
    keySpace,
    dir,
  }) => {
    const creates = Array.from({ length: 30 }, (_, count) =>
      keySpace.execute({ action: "create", key: dir, value: String(count), inOrder: true }),
    );
    const nodes = (await Promise.all(creates)).map(({ node }) => node);
    const { node } = await keySpace.execute({ action: "get", key: dir, sorted: true });
    const byIndex = nodes.sort((a, b) => (a.createdIndex ?? 0) - (b.createdIndex ?? 0));
    expect(new Set(nodes.map(nameOf)).size).toBe(30);
    expect(node.nodes).toEqual(byIndex);
  },

  "an in-order create accepts a TTL, and can create directories": async ({ keySpace, dir }) => {
    const request = { action: "create", key: dir, inOrder: true, ttl: 1000 } as const;
    const file = await keySpace.execute({ ...request, value: "" });
    expect(file.node).toMatchObject({ value: "", ttl: expect.closeTo(1000, -2) });
    const directory = await keySpace.execute({ ...request, dir: true });
    expect(directory.node).toMatchObject({ dir: true, ttl: expect.closeTo(1000, -2) });
    expect(directory.node).not.toHaveProperty("value");
    const { key } = directory.node;
    const child = await keySpace.execute({ action: "set", key: `${key}/x`, value: "1" });
    expect(child.node.key).toBe(`${key}/x`);
  },

  "the root accepts in-order creates": async ({ keySpace }) => {
    const { node } = await keySpace.execute({
      action: "create",
      key: "/",
      value: "1",
      inOrder: true,
    });
    expect(node.key).toMatch(/^\/\d{20}$/);
    await keySpace.execute({ action: "delete", key: node.key });
  },

  "an in-order create at or below a file is refused with 104": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: `${dir}/file`, value: "1" });
    for (const key of [`${dir}/file`, `${dir}/file/x`]) {
      const create = keySpace.execute({ action: "create", key, value: "2", inOrder: true });
      await expect(create).rejects.toMatchObject(notDir(`${dir}/file`));
    }
  },

  "an in-order create whose name exists is refused with 105 until another write increases the index":
    async ({ keySpace, dir }) => {
      const { etcdIndex } = await keySpace.execute({ action: "set", key: dir, dir: true });
      const taken = `${dir}/${String(etcdIndex + 2).padStart(20, "0")}`;
      await keySpace.execute({ action: "set", key: taken, value: "1" });
      const request = { action: "create", key: dir, value: "2", inOrder: true } as const;
      await expect(keySpace.execute(request)).rejects.toMatchObject(nodeExist(taken));
      await expect(keySpace.execute(request)).rejects.toMatchObject(nodeExist(taken));
      await keySpace.execute({ action: "set", key: `${dir}/other`, value: "3" });
      const { node } = await keySpace.execute(request);
      expect(nameOf(node) > nameOf({ key: taken })).toBe(true);
    },
};
