import { expect } from "vitest";
import type { KeyRequest } from "../../src/model/key-request.js";
import type { Cases } from "./arrangement.js";
import { withoutNodes } from "./events.js";
import { keyNotFound, nodeExist, notDir, notFile, rootReadOnly } from "./refusals.js";

/** v3 servers accept requests of 1.5 MiB by default. */
const MEBIBYTE = 2 ** 20;

export const writes: Cases = {
  "a first set creates the file": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const response = await keySpace.execute({ action: "set", key, value: "1" });
    const index = response.node.modifiedIndex;
    expect(response.action).toBe("set");
    expect(response.node).toEqual({ key, value: "1", modifiedIndex: index, createdIndex: index });
    expect(response).not.toHaveProperty("prevNode");
    expect(response.etcdIndex).toBeGreaterThanOrEqual(index);
  },

  "a second set returns the replaced node as prevNode": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const first = await keySpace.execute({ action: "set", key, value: "1" });
    const second = await keySpace.execute({ action: "set", key, value: "2" });
    expect(second.node).toMatchObject({ key, value: "2" });
    expect(second.prevNode).toEqual(first.node);
    expect(second.node.modifiedIndex).toBeGreaterThan(first.node.modifiedIndex);
  },

  "a set gives the file a new createdIndex": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1" });
    const { node } = await keySpace.execute({ action: "set", key, value: "2" });
    expect(node.createdIndex).toBe(node.modifiedIndex);
  },

  "a set of the same value is a change": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const first = await keySpace.execute({ action: "set", key, value: "1" });
    const second = await keySpace.execute({ action: "set", key, value: "1" });
    expect(second.node.modifiedIndex).toBeGreaterThan(first.node.modifiedIndex);
    expect(second.prevNode).toEqual(first.node);
  },

  "the empty string is a valid value": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    for (const action of ["create", "set", "update"] as const) {
      const response = await keySpace.execute({ action, key, value: "" });
      expect(response.node.value).toBe("");
    }
    const { node } = await keySpace.execute({ action: "get", key });
    expect(node.value).toBe("");
  },

  "a value of 1 MiB is returned unchanged": async ({ keySpace, dir }) => {
    const key = `${dir}/big`;
    const value = "0123456789abcdef".repeat(MEBIBYTE / 16);
    await keySpace.execute({ action: "set", key, value, noValueOnSuccess: true });
    const { node } = await keySpace.execute({ action: "get", key });
    expect(node.value === value).toBe(true);
  },

  "a write creates missing parents with its own index and without a TTL": async ({
    keySpace,
    dir,
  }) => {
    const requests: KeyRequest[] = [
      { action: "set", key: `${dir}/set/x/file`, value: "1", ttl: 1000 },
      { action: "create", key: `${dir}/create/x/file`, value: "1", ttl: 1000 },
      { action: "create", key: `${dir}/inOrder/x`, value: "1", ttl: 1000, inOrder: true },
    ];
    for (const request of requests) {
      const { modifiedIndex: index } = (await keySpace.execute(request)).node;
      const key = request.key.split("/x")[0] ?? "";
      for (const parent of [key, `${key}/x`]) {
        const { nodes, ...node } = (await keySpace.execute({ action: "get", key: parent })).node;
        expect(node).toEqual({ key: parent, dir: true, modifiedIndex: index, createdIndex: index });
        expect(nodes).toHaveLength(1);
      }
    }
  },

  "a set or create below a file is refused with 104, and the error names the file": async ({
    keySpace,
    dir,
  }) => {
    await keySpace.execute({ action: "set", key: `${dir}/file`, value: "1" });
    for (const action of ["set", "create"] as const) {
      for (const key of [`${dir}/file/x`, `${dir}/file/x/y`]) {
        const write = keySpace.execute({ action, key, value: "2" });
        await expect(write).rejects.toMatchObject(notDir(`${dir}/file`));
      }
    }
  },

  "a create of a missing key creates a file": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const response = await keySpace.execute({ action: "create", key, value: "1" });
    const index = response.node.modifiedIndex;
    expect(response.action).toBe("create");
    expect(response.node).toEqual({ key, value: "1", modifiedIndex: index, createdIndex: index });
    expect(response).not.toHaveProperty("prevNode");
  },

  "a create of an existing key is refused with 105": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const { node } = await keySpace.execute({ action: "set", key, value: "1" });
    for (const existing of [key, dir]) {
      const file = keySpace.execute({ action: "create", key: existing, value: "2" });
      await expect(file).rejects.toMatchObject(nodeExist(existing));
      const directory = keySpace.execute({ action: "create", key: existing, dir: true });
      await expect(directory).rejects.toMatchObject(nodeExist(existing));
    }
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(node);
  },

  "exactly one of several concurrent creates of a key succeeds": async ({ keySpace, dir }) => {
    const creates = Array.from({ length: 20 }, (_, count) =>
      keySpace.execute({ action: "create", key: `${dir}/a`, value: String(count) }),
    );
    const settled = await Promise.allSettled(creates);
    const [winner, ...others] = settled.filter(({ status }) => status === "fulfilled");
    expect(others).toEqual([]);
    const { node } = await keySpace.execute({ action: "get", key: `${dir}/a` });
    expect(winner).toMatchObject({ value: { node } });
    for (const outcome of settled) {
      if (outcome !== winner) expect(outcome).toMatchObject({ reason: nodeExist(`${dir}/a`) });
    }
  },

  "an update keeps the createdIndex and returns the previous node": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const before = await keySpace.execute({ action: "set", key, value: "1" });
    const response = await keySpace.execute({ action: "update", key, value: "2" });
    const modifiedIndex = response.node.modifiedIndex;
    const { createdIndex } = before.node;
    expect(response.action).toBe("update");
    expect(response.node).toEqual({ key, value: "2", modifiedIndex, createdIndex });
    expect(response.prevNode).toEqual(before.node);
    expect(modifiedIndex).toBeGreaterThan(before.node.modifiedIndex);
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(response.node);
  },

  "an update of a missing key is refused with 100, and the error names the first missing node of the path":
    async ({ keySpace, dir }) => {
      await keySpace.execute({ action: "set", key: dir, dir: true });
      const file = keySpace.execute({ action: "update", key: `${dir}/nope`, value: "1" });
      await expect(file).rejects.toMatchObject(keyNotFound(`${dir}/nope`));
      const deep = keySpace.execute({ action: "update", key: `${dir}/nope/x`, value: "1" });
      await expect(deep).rejects.toMatchObject(keyNotFound(`${dir}/nope`));
      const directory = keySpace.execute({ action: "update", key: `${dir}/nope`, dir: true });
      await expect(directory).rejects.toMatchObject(keyNotFound(`${dir}/nope`));
    },

  "an update below a file is refused with 104": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: `${dir}/file`, value: "1" });
    const update = keySpace.execute({ action: "update", key: `${dir}/file/x`, value: "2" });
    await expect(update).rejects.toMatchObject(notDir(`${dir}/file`));
  },

  "dir has no effect on the update of a file": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1" });
    const update = { action: "update", key, dir: true } as const;
    expect((await keySpace.execute({ ...update, value: "2" })).node).toMatchObject({ value: "2" });
    expect((await keySpace.execute(update)).node).toMatchObject({ value: "" });
    expect((await keySpace.execute({ action: "get", key })).node).not.toHaveProperty("dir");
  },

  "a write of a value to a directory is refused with 102": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: dir, dir: true });
    for (const action of ["set", "update"] as const) {
      const write = keySpace.execute({ action, key: dir, value: "1" });
      await expect(write).rejects.toMatchObject(notFile(dir));
    }
  },

  "the root is read only": async ({ keySpace }) => {
    const requests: KeyRequest[] = [
      { action: "set", key: "/", value: "1" },
      { action: "set", key: "/", dir: true },
      { action: "create", key: "/", value: "1" },
      { action: "create", key: "/", dir: true },
      { action: "update", key: "/", value: "1" },
      { action: "update", key: "/", dir: true, ttl: 1000 },
      { action: "compareAndSwap", key: "/", value: "1", prevValue: "0" },
    ];
    for (const request of requests) {
      await expect(keySpace.execute(request)).rejects.toMatchObject(rootReadOnly());
    }
  },

  "a refused write changes nothing": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const { node } = await keySpace.execute({ action: "set", key, value: "1", ttl: 1000 });
    const requests: KeyRequest[] = [
      { action: "set", key: `${key}/x`, value: "2" },
      { action: "create", key, value: "2" },
      { action: "update", key: `${key}/x`, value: "2" },
      { action: "compareAndSwap", key, value: "2", prevValue: "other" },
      { action: "compareAndDelete", key, prevValue: "other" },
      { action: "delete", key: dir },
    ];
    for (const request of requests) await expect(keySpace.execute(request)).rejects.toThrow();
    const after = await keySpace.execute({ action: "get", key });
    expect(after.node).toEqual({ ...node, ttl: expect.any(Number) });
  },

  "noValueOnSuccess returns only the action, and the write takes effect": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/a`;
    const brief = { noValueOnSuccess: true } as const;
    const requests = [
      { action: "create", key, value: "1", ...brief },
      { action: "set", key, value: "2", ...brief },
      { action: "update", key, value: "3", ...brief },
      { action: "compareAndSwap", key, prevValue: "3", value: "4", ...brief },
      { action: "create", key: `${dir}/q`, value: "5", inOrder: true, ...brief },
      { action: "set", key: `${dir}/d`, dir: true, ...brief },
    ] as const;
    let index = 0;
    for (const request of requests) {
      const receipt = await keySpace.execute(request);
      expect(receipt).toMatchObject({ action: request.action });
      expect(withoutNodes(receipt)).toBe(true);
      expect(receipt.etcdIndex).toBeGreaterThan(index);
      index = receipt.etcdIndex;
    }
    const { node } = await keySpace.execute({ action: "get", key: dir, recursive: true });
    expect(node.nodes).toHaveLength(3);
    expect(node.nodes).toContainEqual(expect.objectContaining({ key, value: "4" }));
  },

  "noValueOnSuccess does not change errors": async ({ keySpace, dir }) => {
    const request = { key: `${dir}/a`, value: "1", noValueOnSuccess: true } as const;
    await keySpace.execute({ action: "create", ...request });
    const again = keySpace.execute({ action: "create", ...request });
    await expect(again).rejects.toMatchObject(nodeExist(`${dir}/a`));
  },
};
