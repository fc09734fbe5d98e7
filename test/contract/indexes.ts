import { expect } from "vitest";
import type { KeyRequest } from "../../src/model/key-request.js";
import type { Cases } from "./arrangement.js";

export const indexes: Cases = {
  "every kind of write increases the index": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const requests: KeyRequest[] = [
      { action: "create", key, value: "1" },
      { action: "set", key, value: "2" },
      { action: "update", key, value: "3" },
      { action: "compareAndSwap", key, prevValue: "3", value: "4" },
      { action: "set", key, refresh: true, ttl: 1000 },
      { action: "compareAndDelete", key, prevValue: "4" },
      { action: "create", key: dir, value: "5", inOrder: true },
      { action: "delete", key: dir, recursive: true },
    ];
    let last = 0;
    for (const request of requests) {
      const response = await keySpace.execute(request);
      expect(response.node.modifiedIndex).toBeGreaterThan(last);
      expect(response.etcdIndex).toBeGreaterThanOrEqual(response.node.modifiedIndex);
      last = response.node.modifiedIndex;
    }
  },

  "the etcdIndex of a read is not below the index of any earlier change": async ({
    keySpace,
    dir,
  }) => {
    const first = await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const second = await keySpace.execute({ action: "set", key: `${dir}/b`, value: "1" });
    const read = await keySpace.execute({ action: "get", key: `${dir}/a` });
    expect(read.node.modifiedIndex).toBe(first.node.modifiedIndex);
    expect(read.etcdIndex).toBeGreaterThanOrEqual(second.node.modifiedIndex);
  },

  "reads, refused requests and watches do not change the index": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const { etcdIndex } = await keySpace.execute({ action: "set", key, value: "1" });
    await keySpace.execute({ action: "get", key: dir, recursive: true, sorted: true });
    await keySpace.execute({ action: "get", key, quorum: true });
    const refused: KeyRequest[] = [
      { action: "get", key: `${dir}/nope` },
      { action: "create", key, value: "2" },
      { action: "update", key: `${dir}/nope`, value: "2" },
      { action: "compareAndSwap", key, prevValue: "other", value: "2" },
      { action: "delete", key: dir, dir: true },
    ];
    for (const request of refused) {
      await expect(keySpace.execute(request)).rejects.toMatchObject({ index: etcdIndex });
    }
    const watch = await keySpace.openWatch({ key });
    watch.close();
    expect(watch.etcdIndex).toBe(etcdIndex);
    expect((await keySpace.execute({ action: "get", key })).etcdIndex).toBe(etcdIndex);
  },

  "a write increases the index by one, also a recursive delete": async ({ keySpace, dir }) => {
    const first = await keySpace.execute({ action: "set", key: `${dir}/a/b/c`, value: "1" });
    const second = await keySpace.execute({ action: "set", key: `${dir}/a/d`, value: "1" });
    const third = await keySpace.execute({ action: "delete", key: dir, recursive: true });
    expect(second.node.modifiedIndex).toBe(first.node.modifiedIndex + 1);
    expect(third.node.modifiedIndex).toBe(second.node.modifiedIndex + 1);
    expect(third.etcdIndex).toBe(third.node.modifiedIndex);
  },

  "concurrent writes have distinct indexes": async ({ keySpace, dir }) => {
    const writes = Array.from({ length: 50 }, (_, count) =>
      keySpace.execute({ action: "set", key: `${dir}/${count % 5}`, value: String(count) }),
    );
    const responses = await Promise.all(writes);
    expect(new Set(responses.map(({ node }) => node.modifiedIndex)).size).toBe(50);
  },
};
