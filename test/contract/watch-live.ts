import { expect } from "vitest";
import type { KeyRequest } from "../../src/model/key-request.js";
import type { Cases } from "./arrangement.js";
import { changeOf, eventOf, eventsUntil } from "./events.js";

export const watchLive: Cases = {
  "a watch stands before any event, and tells the index at which it began": async ({
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

  "an event is what the writer was answered": async ({ keySpace, dir }) => {
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
      const answer = await keySpace.execute(request);
      expect(changeOf(await eventOf(watch))).toEqual(changeOf(answer));
    }
  },

  "an event is whole even when its writer spared the nodes": async ({ keySpace, dir }) => {
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

  "a stream goes on, in order and without a gap": async ({ keySpace, dir }) => {
    const watch = await keySpace.openWatch({ key: dir, recursive: true, stream: true });
    const writes = Array.from({ length: 60 }, (_, count) =>
      keySpace.execute({ action: "set", key: `${dir}/${count % 7}`, value: String(count) }),
    );
    const answers = await Promise.all(writes);
    const changes = answers.sort((a, b) => a.node.modifiedIndex - b.node.modifiedIndex);
    const events = await eventsUntil(watch, changes.at(-1)?.node.modifiedIndex ?? 0);
    expect(events.map(changeOf)).toEqual(changes.map(changeOf));
  },

  "every watch of a key gets the event": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const open = () => keySpace.openWatch({ key });
    const watches = await Promise.all(Array.from({ length: 10 }, open));
    const answer = await keySpace.execute({ action: "set", key, value: "1" });
    for (const watch of watches) {
      expect(changeOf(await eventOf(watch))).toEqual(changeOf(answer));
    }
  },

  "a key that is missing, even below a file, can be watched": async ({ keySpace, dir }) => {
    const key = `${dir}/a/b`;
    const missing = await keySpace.openWatch({ key });
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "a file" });
    const belowFile = await keySpace.openWatch({ key });
    await keySpace.execute({ action: "delete", key: `${dir}/a` });
    const answer = await keySpace.execute({ action: "set", key, value: "1" });
    expect(changeOf(await eventOf(missing))).toEqual(changeOf(answer));
    expect(changeOf(await eventOf(belowFile))).toEqual(changeOf(answer));
  },

  "a watch of a directory alone leaves out what happens in it": async ({ keySpace, dir }) => {
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const watch = await keySpace.openWatch({ key: dir });
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "2" });
    await keySpace.execute({ action: "delete", key: `${dir}/a` });
    const last = await keySpace.execute({ action: "delete", key: dir, dir: true });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(last));
  },

  "a recursive watch covers every depth, and the directory itself": async ({ keySpace, dir }) => {
    const watch = await keySpace.openWatch({ key: dir, recursive: true, stream: true });
    const requests: KeyRequest[] = [
      { action: "set", key: dir, dir: true },
      { action: "set", key: `${dir}/a`, value: "1" },
      { action: "set", key: `${dir}/b/c/d`, value: "2" },
      { action: "delete", key: `${dir}/b`, recursive: true },
      { action: "delete", key: dir, recursive: true },
    ];
    const answers = [];
    for (const request of requests) answers.push(await keySpace.execute(request));
    const events = await eventsUntil(watch, answers.at(-1)?.node.modifiedIndex ?? 0);
    expect(events.map(changeOf)).toEqual(answers.map(changeOf));
  },

  "a recursive watch of a file covers the file": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1" });
    const watch = await keySpace.openWatch({ key, recursive: true });
    const answer = await keySpace.execute({ action: "set", key, value: "2" });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(answer));
  },

  "a recursive watch of the root covers every key": async ({ keySpace, dir }) => {
    const watch = await keySpace.openWatch({ key: "/", recursive: true, stream: true });
    const answer = await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const events = await eventsUntil(watch, answer.node.modifiedIndex);
    expect(events.map(changeOf)).toContainEqual(changeOf(answer));
  },

  "a recursive watch leaves out keys that merely begin alike": async ({ keySpace, dir }) => {
    const watch = await keySpace.openWatch({ key: `${dir}/w`, recursive: true });
    await keySpace.execute({ action: "set", key: `${dir}/wd`, value: "1" });
    await keySpace.execute({ action: "set", key: `${dir}/w!/x`, value: "1" });
    const answer = await keySpace.execute({ action: "set", key: `${dir}/w/x`, value: "1" });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(answer));
  },

  "a recursive watch leaves out hidden keys below it": async ({ keySpace, dir }) => {
    const watch = await keySpace.openWatch({ key: dir, recursive: true });
    for (const name of ["_", "_hidden", "_dir/a", "b/_hidden", "b/_dir/c"]) {
      await keySpace.execute({ action: "set", key: `${dir}/${name}`, value: "1" });
    }
    const answer = await keySpace.execute({ action: "set", key: `${dir}/a_`, value: "1" });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(answer));
  },

  "hidden keys can be watched by name, and from inside their directory": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/_dir/a`;
    const byName = await keySpace.openWatch({ key });
    const inside = await keySpace.openWatch({ key: `${dir}/_dir`, recursive: true });
    const answer = await keySpace.execute({ action: "set", key, value: "1" });
    expect(changeOf(await eventOf(byName))).toEqual(changeOf(answer));
    expect(changeOf(await eventOf(inside))).toEqual(changeOf(answer));
  },

  "parents that a write makes raise no event": async ({ keySpace, dir }) => {
    const onParent = await keySpace.openWatch({ key: `${dir}/a` });
    const recursive = await keySpace.openWatch({ key: dir, recursive: true });
    const write = await keySpace.execute({ action: "set", key: `${dir}/a/b`, value: "1" });
    const removal = await keySpace.execute({ action: "delete", key: `${dir}/a`, recursive: true });
    expect(changeOf(await eventOf(recursive))).toEqual(changeOf(write));
    expect(changeOf(await eventOf(onParent))).toEqual(changeOf(removal));
  },

  "an in-order create is an event of its directory": async ({ keySpace, dir }) => {
    const watch = await keySpace.openWatch({ key: dir, recursive: true });
    const create = { action: "create", key: dir, value: "1", inOrder: true } as const;
    const answer = await keySpace.execute(create);
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(answer));
  },

  "a refused write raises no event": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1" });
    const watch = await keySpace.openWatch({ key });
    const refused: KeyRequest[] = [
      { action: "create", key, value: "2" },
      { action: "compareAndSwap", key, prevValue: "other", value: "2" },
      { action: "compareAndDelete", key, prevValue: "other" },
    ];
    for (const request of refused) await expect(keySpace.execute(request)).rejects.toThrow();
    const answer = await keySpace.execute({ action: "set", key, value: "3" });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(answer));
  },
};
