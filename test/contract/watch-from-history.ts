import { expect } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import type { KeyRequest } from "../../src/model/key-request.js";
import type { Cases } from "./arrangement.js";
import { changeOf, eventOf } from "./events.js";

/** Number of events of the whole store that etcd keeps. */
const HISTORY = 1000;

/** Makes `count` events with 20 concurrent writers. @returns the index of the store after them */
async function makeEvents(keySpace: KeySpace, dir: string, count: number): Promise<number> {
  const write = { action: "set", value: "", noValueOnSuccess: true } as const;
  const writer = async (_: unknown, worker: number): Promise<void> => {
    for (let left = count / 20; left > 0; left--) {
      await keySpace.execute({ ...write, key: `${dir}/events-${worker}` });
    }
  };
  await Promise.all(Array.from({ length: 20 }, writer));
  return (await keySpace.execute({ action: "get", key: dir })).etcdIndex;
}

export const watchFromHistory: Cases = {
  "a past event is delivered at once, and waitIndex includes its own index": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/a`;
    const live = await keySpace.openWatch({ key, stream: true });
    const first = await keySpace.execute({ action: "set", key, value: "1" });
    const second = await keySpace.execute({ action: "set", key, value: "2" });
    for await (const { node } of live) if (node.value === "2") break;
    const fromFirst = await keySpace.openWatch({ key, waitIndex: first.node.modifiedIndex });
    expect(changeOf(await eventOf(fromFirst))).toEqual(changeOf(first));
    const afterFirst = await keySpace.openWatch({ key, waitIndex: first.node.modifiedIndex + 1 });
    expect(changeOf(await eventOf(afterFirst))).toEqual(changeOf(second));
    expect(afterFirst.etcdIndex).toBeGreaterThanOrEqual(second.node.modifiedIndex);
  },

  "consecutive watches deliver every event in order": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const requests: KeyRequest[] = [
      { action: "create", key, value: "1" },
      { action: "update", key, value: "2" },
      { action: "compareAndSwap", key, prevValue: "2", value: "3" },
      { action: "delete", key },
      { action: "create", key: `${dir}/d`, dir: true },
      { action: "create", key: `${dir}/d`, value: "4", inOrder: true },
      { action: "delete", key: `${dir}/d`, recursive: true },
    ];
    const responses = [];
    for (const request of requests) responses.push(await keySpace.execute(request));
    let waitIndex = responses[0]?.node.modifiedIndex ?? 0;
    for (const response of responses) {
      const watch = await keySpace.openWatch({ key: dir, recursive: true, waitIndex });
      expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
      waitIndex = response.node.modifiedIndex + 1;
    }
  },

  "a watch without a matching past event waits for the next event": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const before = await keySpace.execute({ action: "set", key, value: "1" });
    await keySpace.execute({ action: "set", key: `${dir}/other`, value: "1" });
    const watch = await keySpace.openWatch({ key, waitIndex: before.node.modifiedIndex + 1 });
    const response = await keySpace.execute({ action: "set", key, value: "2" });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
  },

  "a waitIndex of 0 starts a live watch": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    await keySpace.execute({ action: "set", key, value: "1" });
    const watch = await keySpace.openWatch({ key, waitIndex: 0 });
    const response = await keySpace.execute({ action: "set", key, value: "2" });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
  },

  "a waitIndex in the future skips earlier events": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const { etcdIndex } = await keySpace.execute({ action: "set", key, value: "0" });
    const waitIndex = etcdIndex + 3;
    const watch = await keySpace.openWatch({ key, waitIndex });
    const responses = [];
    for (const value of ["1", "2", "3", "4"]) {
      responses.push(await keySpace.execute({ action: "set", key, value }));
    }
    const expected = responses.find((response) => response.node.modifiedIndex >= waitIndex);
    expect(responses[0]?.node.modifiedIndex).toBeLessThan(waitIndex);
    expect((await eventOf(watch)).node).toEqual(expected?.node);
  },

  "a past deletion of a directory is delivered to a watch of a node that was in it": async ({
    keySpace,
    dir,
  }) => {
    const { node } = await keySpace.execute({ action: "set", key: `${dir}/d/a`, value: "1" });
    const response = await keySpace.execute({ action: "delete", key: `${dir}/d`, recursive: true });
    const watch = await keySpace.openWatch({
      key: node.key,
      waitIndex: node.modifiedIndex + 1,
    });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
  },

  "history also delivers hidden keys below a recursive watch": async ({ keySpace, dir }) => {
    const hidden = await keySpace.execute({ action: "set", key: `${dir}/_x`, value: "1" });
    const waitIndex = hidden.node.modifiedIndex;
    const watch = await keySpace.openWatch({ key: dir, recursive: true, waitIndex });
    expect(changeOf(await eventOf(watch))).toEqual(changeOf(hidden));
  },

  "history also delivers the deletion of a directory in which the watched key never existed":
    async ({ keySpace, dir }) => {
      await keySpace.execute({ action: "set", key: `${dir}/d/a`, value: "1" });
      const response = await keySpace.execute({
        action: "delete",
        key: `${dir}/d`,
        recursive: true,
      });
      const waitIndex = response.node.modifiedIndex;
      const watch = await keySpace.openWatch({ key: `${dir}/d/missing`, waitIndex });
      expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
    },

  "history also delivers the deletion of a directory whose key is a text prefix of the watched key":
    async ({ keySpace, dir }) => {
      await keySpace.execute({ action: "set", key: `${dir}/pre/a`, value: "1" });
      const response = await keySpace.execute({
        action: "delete",
        key: `${dir}/pre`,
        recursive: true,
      });
      const waitIndex = response.node.modifiedIndex;
      const watch = await keySpace.openWatch({ key: `${dir}/prefix`, waitIndex });
      expect(changeOf(await eventOf(watch))).toEqual(changeOf(response));
    },

  "a waitIndex older than the history is refused with 401, also for a stream": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/a`;
    const { node } = await keySpace.execute({ action: "set", key, value: "1" });
    const waitIndex = node.modifiedIndex;
    const index = await makeEvents(keySpace, dir, HISTORY);
    for (const stream of [false, true]) {
      const error = await keySpace.openWatch({ key, waitIndex, stream }).catch((error) => error);
      expect(error).toMatchObject({
        name: "EventIndexClearedError",
        errorCode: 401,
        status: 400,
        reason: "The event in requested index is outdated and cleared",
        key,
      });
      expect(error.detail).toMatch(
        new RegExp(`^the requested history has been cleared \\[\\d+/${waitIndex}\\]$`),
      );
      expect(error.index).toBeGreaterThanOrEqual(index);
    }
  },

  "the history holds the last 1000 events": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const oldest = await keySpace.execute({ action: "set", key, value: "1" });
    const index = await makeEvents(keySpace, dir, HISTORY - 20);
    expect(index - oldest.node.modifiedIndex).toBe(HISTORY - 20);
    for (let left = index - oldest.node.modifiedIndex; left < HISTORY - 1; left++) {
      await keySpace.execute({ action: "set", key: `${dir}/b`, value: "1" });
    }
    const held = await keySpace.openWatch({ key, waitIndex: oldest.node.modifiedIndex });
    expect(changeOf(await eventOf(held))).toEqual(changeOf(oldest));
    await keySpace.execute({ action: "set", key: `${dir}/b`, value: "1" });
    const lost = keySpace.openWatch({ key, waitIndex: oldest.node.modifiedIndex });
    await expect(lost).rejects.toMatchObject({
      detail: `the requested history has been cleared [${oldest.node.modifiedIndex + 1}/${oldest.node.modifiedIndex}]`,
      index: oldest.node.modifiedIndex + HISTORY,
    });
  },
};
