import { expect } from "vitest";
import type { Cases } from "./arrangement.js";

import { keyNotFound, notDir } from "./refusals.js";

export const reads: Cases = {
  "a read of a file returns its key, value and indexes, and nothing else": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/a`;
    const written = await keySpace.execute({ action: "set", key, value: "1" });
    const response = await keySpace.execute({ action: "get", key });
    const { createdIndex } = written.node;
    expect(response.action).toBe("get");
    expect(response.node).toEqual({ key, value: "1", modifiedIndex: createdIndex, createdIndex });
    expect(response).not.toHaveProperty("prevNode");
  },

  "a response contains its server, cluster id and indexes": async ({ keySpace, dir }) => {
    const written = await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const response = await keySpace.execute({ action: "get", key: `${dir}/a` });
    expect(response.etcdServer).toMatch(/./);
    expect(response.etcdClusterId).toMatch(/^[1-9a-f][\da-f]{0,15}$/);
    expect(response.etcdClusterId).toBe(written.etcdClusterId);
    expect(response.etcdIndex).toBeGreaterThanOrEqual(written.node.modifiedIndex);
    expect(response.raftIndex).toBeGreaterThanOrEqual(0);
    expect(response.raftTerm).toBeGreaterThanOrEqual(0);
  },

  "a read of a missing key is refused with 100, and the error contains the key and the index":
    async ({ keySpace, dir }) => {
      const key = `${dir}/nope`;
      const { etcdIndex } = await keySpace.execute({ action: "set", key: dir, dir: true });
      const error = await keySpace.execute({ action: "get", key }).catch((error) => error);
      expect(error).toMatchObject({ ...keyNotFound(key), key, operation: `GET ${key}` });
      expect(error.index).toBeGreaterThanOrEqual(etcdIndex);
    },

  "a read below missing directories is refused with 100, and the error names the first missing one":
    async ({ keySpace, dir }) => {
      await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
      const read = keySpace.execute({ action: "get", key: `${dir}/nope/deeper/still` });
      await expect(read).rejects.toMatchObject(keyNotFound(`${dir}/nope`));
    },

  "a read below a file is refused with 104, and the error names the file": async ({
    keySpace,
    dir,
  }) => {
    await keySpace.execute({ action: "set", key: `${dir}/file`, value: "1" });
    for (const below of ["x", "x/y"]) {
      const read = keySpace.execute({ action: "get", key: `${dir}/file/${below}` });
      await expect(read).rejects.toMatchObject(notDir(`${dir}/file`));
    }
  },

  "the root is a directory with the key / and the indexes 0": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const { node } = await keySpace.execute({ action: "get", key: "/" });
    expect(node).toEqual({
      key: "/",
      dir: true,
      nodes: expect.any(Array),
      modifiedIndex: 0,
      createdIndex: 0,
    });
    const top = `/${dir.split("/")[1]}`;
    expect(node.nodes).toContainEqual(expect.objectContaining({ key: top, dir: true }));
  },

  "recursive and sorted have no effect on the read of a file": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const { node } = await keySpace.execute({ action: "set", key, value: "1" });
    const read = await keySpace.execute({ action: "get", key, recursive: true, sorted: true });
    expect(read.node).toEqual(node);
  },

  "a quorum read returns every write that completed before it": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    for (const value of ["1", "2", "3"]) {
      const { node } = await keySpace.execute({ action: "set", key, value });
      const read = await keySpace.execute({ action: "get", key, quorum: true });
      expect(read.node).toEqual(node);
    }
  },

  "a quorum read of a missing key is refused with 100": async ({ keySpace, dir }) => {
    const read = keySpace.execute({ action: "get", key: dir, quorum: true });
    await expect(read).rejects.toMatchObject({ errorCode: 100 });
  },

  "a key with one trailing slash names the same node": async ({ keySpace, dir }) => {
    const { node } = await keySpace.execute({ action: "set", key: `${dir}/a/`, value: "1" });
    expect(node.key).toBe(`${dir}/a`);
    expect((await keySpace.execute({ action: "get", key: `${dir}/a` })).node).toEqual(node);
    expect((await keySpace.execute({ action: "get", key: `${dir}/a/` })).node).toEqual(node);
    expect((await keySpace.execute({ action: "get", key: `${dir}/` })).node.key).toBe(dir);
    const missing = keySpace.execute({ action: "get", key: `${dir}/nope/` });
    await expect(missing).rejects.toMatchObject(keyNotFound(`${dir}/nope`));
  },
};
