import { expect } from "vitest";
import type { KeyRequest } from "../../src/model/key-request.js";
import type { Cases } from "./arrangement.js";
import { changeOf, eventOf, eventsUntil } from "./events.js";

export const watchLive: Cases = {
  "a watch opens before any event, and has the index at which it starts": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/a`;
    const before = await keySpace.execute({ action: "set", key, value: "1" });
    const watch = await keySpace.openWatch({ key });
    const change = await keySpace.execute({ action: "set", key, value: "2" });
    expect(watch.etcdIndex).toBeGreaterThanOrEqual(before.node.modifiedIndex);
    expect(watch.etcdIndex).toBeLessThan(change.node.modifiedIndex);
    expect(watch.etcdClusterId).toBe(before.etcdClusterId);
    expect(watch.etcdServer).toMatch(/./);
    const event = await eventOf(watch);
    expect(changeOf(event)).toEqual(changeOf(change));
    expect(event.etcdIndex).toBe(watch.etcdIndex);
  },

  "an event equals the response to the write": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const requests: KeyRequest[] = [
      { action: "set", key, value: "1" },
      { action: "set", key, value: "2" },
      { action: "set", key, value: "2" },
      { action: "update", key, value: "3" },
      { action: "compareAndSwap", key, prevValue: "3", value: "" },
      { action: "delete", key },
      { action: "create", key, value: "日本😀 <&>\n" },
      { action: "compareAndDelete", key, prevValue: "日本😀 <&>\n" },
      { action: "create", key, dir: true },
      { action: "delete", key, dir: true },
    ];
    for (const request of requests) {
      const watch = await keySpace.openWatch({ key });
      const response = await keySpace.execute(request);
      expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
    }
  },

  "an event has both nodes even if the write used noValueOnSuccess": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const { node } = await keySpace.execute({ action: "set", key, value: "1" });
    const watch = await keySpace.openWatch({ key });
    await keySpace.execute({ action: "set", key, value: "2", noValueOnSuccess: true });
    const event = await eventOf(watch);
    expect(event.node).toMatchObject({ key, value: "2" });
    expect(event.prevNode).toEqual(node);
  },

  "a watch ends after one event": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const watch = await keySpace.openWatch({ key });
    await keySpace.execute({ action: "set", key, value: "1" });
    const values: (string | undefined)[] = [];
    for await (const { node } of watch) values.push(node.value);
    expect(values).toEqual(["1"]);
  },

  "a stream delivers further events in order and without a gap": async ({ keySpace, dir }) => {
    const watch = await keySpace.openWatch({ key: dir, recursive: true, stream: true });
    const writes = Array.from({ length: 60 }, (_, count) =>
      keySpace.execute({ action: "set", key: `${dir}/${count % 7}`, value: String(count) }),
    );
    const responses = await Promise.all(writes);
    const changes = responses.sort((a, b) => a.node.modifiedIndex - b.node.modifiedIndex);
    const events = await eventsUntil(watch, changes.at(-1)?.node.modifiedIndex ?? 0);
    expect(events.map(changeOf)).toEqual(changes.map(changeOf));
  },

  "every watch of a key receives the event": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const open = () => keySpace.openWatch({ key });
    const watches = await Promise.all(Array.from({ length: 10 }, open));
    const response = await keySpace.execute({ action: "set", key, value: "1" });
    for (const watch of watches) {
      expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
    }
  },

  "a missing key can be watched, even below a file": async ({ keySpace, dir }) => {
    const key = `${dir}/a/b`;
    const missing = await keySpace.openWatch({ key });
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "a file" });
    const belowFile = await keySpace.openWatch({ key });
    await keySpace.execute({ action: "delete", key: `${dir}/a` });
    const response = await keySpace.execute({ action: "set", key, value: "1" });
    expect(changeOf(await eventOf(missing))).toEqual(changeOf(response));
    expect(changeOf(await eventOf(belowFile))).toEqual(changeOf(response));
  },

  "a non-recursive watch of a directory skips changes of its children": async ({
    keySpace,
    dir,
  }) => {
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const watch = await keySpace.openWatch({ key: dir });
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "2" });
    await keySpace.execute({ action: "delete", key: `${dir}/a` });
    const last = await keySpace.execute({ action: "delete", key: dir, dir: true });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(last));
  },

  "a recursive watch covers the directory itself and every level below it": async ({
    keySpace,
    dir,
  }) => {
    const watch = await keySpace.openWatch({ key: dir, recursive: true, stream: true });
    const requests: KeyRequest[] = [
      { action: "set", key: dir, dir: true },
      { action: "set", key: `${dir}/a`, value: "1" },
      { action: "set", key: `${dir}/b/c/d`, value: "2" },
      { action: "delete", key: `${dir}/b`, recursive: true },
      { action: "delete", key: dir, recursive: true },
    ];
    const responses = [];
    for (const request of requests) responses.push(await keySpace.execute(request));
    const events = await eventsUntil(watch, responses.at(-1)?.node.modifiedIndex ?? 0);
    expect(events.map(changeOf)).toEqual(responses.map(changeOf));
  },

  "a recursive watch of a file covers the file": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1" });
    const watch = await keySpace.openWatch({ key, recursive: true });
    const response = await keySpace.execute({ action: "set", key, value: "2" });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
  },

  "a recursive watch of the root covers every key": async ({ keySpace, dir }) => {
    const watch = await keySpace.openWatch({ key: "/", recursive: true, stream: true });
    const response = await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const events = await eventsUntil(watch, response.node.modifiedIndex);
    expect(events.map(changeOf)).toContainEqual(changeOf(response));
  },

  "a recursive watch skips keys that only share a text prefix": async ({ keySpace, dir }) => {
    const watch = await keySpace.openWatch({ key: `${dir}/w`, recursive: true });
    await keySpace.execute({ action: "set", key: `${dir}/wd`, value: "1" });
    await keySpace.execute({ action: "set", key: `${dir}/w!/x`, value: "1" });
    const response = await keySpace.execute({ action: "set", key: `${dir}/w/x`, value: "1" });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
  },

  "a recursive watch skips hidden keys below it": async ({ keySpace, dir }) => {
    const watch = await keySpace.openWatch({ key: dir, recursive: true });
    for (const name of ["_", "_hidden", "_dir/a", "b/_hidden", "b/_dir/c"]) {
      await keySpace.execute({ action: "set", key: `${dir}/${name}`, value: "1" });
    }
    const response = await keySpace.execute({ action: "set", key: `${dir}/a_`, value: "1" });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
  },

  "hidden keys can be watched by their own key, and recursively from their hidden directory":
    async ({ keySpace, dir }) => {
      const key = `${dir}/_dir/a`;
      const byName = await keySpace.openWatch({ key });
      const inside = await keySpace.openWatch({ key: `${dir}/_dir`, recursive: true });
      const response = await keySpace.execute({ action: "set", key, value: "1" });
      expect(changeOf(await eventOf(byName))).toEqual(changeOf(response));
      expect(changeOf(await eventOf(inside))).toEqual(changeOf(response));
    },

  "the parents that a write creates cause no event": async ({ keySpace, dir }) => {
    const onParent = await keySpace.openWatch({ key: `${dir}/a` });
    const recursive = await keySpace.openWatch({ key: dir, recursive: true });
    const write = await keySpace.execute({ action: "set", key: `${dir}/a/b`, value: "1" });
    const removal = await keySpace.execute({ action: "delete", key: `${dir}/a`, recursive: true });
    expect(changeOf(await eventOf(recursive))).toEqual(changeOf(write));
    expect(changeOf(await eventOf(onParent))).toEqual(changeOf(removal));
  },

  "a recursive watch of a directory receives an in-order create in it": async ({
    keySpace,
    dir,
  }) => {
    const watch = await keySpace.openWatch({ key: dir, recursive: true });
    const create = { action: "create", key: dir, value: "1", inOrder: true } as const;
    const response = await keySpace.execute(create);
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
  },

  "a refused write causes no event": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1" });
    const watch = await keySpace.openWatch({ key });
    const refused: KeyRequest[] = [
      { action: "create", key, value: "2" },
      { action: "compareAndSwap", key, prevValue: "other", value: "2" },
      { action: "compareAndDelete", key, prevValue: "other" },
    ];
    for (const request of refused) await expect(keySpace.execute(request)).rejects.toThrow();
    const response = await keySpace.execute({ action: "set", key, value: "3" });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
  },
};
