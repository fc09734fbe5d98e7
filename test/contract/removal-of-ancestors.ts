import { expect } from "vitest";
import type { Cases } from "./arrangement.js";
import { changeOf, eventOf } from "./events.js";

export const removalOfAncestors: Cases = {
  "a recursive delete is delivered to watches of nodes in the directory": async ({
    keySpace,
    dir,
  }) => {
    await keySpace.execute({ action: "set", key: `${dir}/d/a`, value: "1" });
    await keySpace.execute({ action: "set", key: `${dir}/d/b/c`, value: "1" });
    const watches = await Promise.all([
      keySpace.openWatch({ key: `${dir}/d/a` }),
      keySpace.openWatch({ key: `${dir}/d/b` }),
      keySpace.openWatch({ key: `${dir}/d/b`, recursive: true }),
      keySpace.openWatch({ key: `${dir}/d/b/c` }),
      keySpace.openWatch({ key: `${dir}/d` }),
      keySpace.openWatch({ key: dir, recursive: true }),
    ]);
    const response = await keySpace.execute({ action: "delete", key: `${dir}/d`, recursive: true });
    for (const watch of watches) {
      expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
    }
  },

  "a recursive delete is delivered to a watch of a hidden node in the directory": async ({
    keySpace,
    dir,
  }) => {
    await keySpace.execute({ action: "set", key: `${dir}/_hidden/a`, value: "1" });
    const watch = await keySpace.openWatch({ key: `${dir}/_hidden/a` });
    const response = await keySpace.execute({ action: "delete", key: dir, recursive: true });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
  },

  "a recursive delete is not delivered to a watch of a missing key in the directory": async ({
    keySpace,
    dir,
  }) => {
    await keySpace.execute({ action: "set", key: `${dir}/a`, value: "1" });
    const watch = await keySpace.openWatch({ key: `${dir}/missing`, recursive: true });
    await keySpace.execute({ action: "delete", key: dir, recursive: true });
    const response = await keySpace.execute({ action: "set", key: `${dir}/missing`, value: "1" });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
  },

  "a set that replaces a file with a directory is an event of the key": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1" });
    const watch = await keySpace.openWatch({ key });
    const response = await keySpace.execute({ action: "set", key, dir: true });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
  },

  "an update of a directory is an event of the directory, not of its contents": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1" });
    const onDirectory = await keySpace.openWatch({ key: dir });
    const onChild = await keySpace.openWatch({ key });
    const update = await keySpace.execute({ action: "update", key: dir, dir: true });
    const change = await keySpace.execute({ action: "set", key, value: "2" });
    expect(changeOf(await eventOf(onDirectory))).toEqual(changeOf(update));
    expect(changeOf(await eventOf(onChild))).toEqual(changeOf(change));
  },
};
