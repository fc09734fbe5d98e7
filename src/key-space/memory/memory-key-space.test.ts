import { expect, test } from "vitest";
import { MemoryKeySpace } from "./memory-key-space.js";

test("a larger history does not claim events that a smaller one has dropped", async () => {
  const small = new MemoryKeySpace({ historySize: 2 });
  for (let count = 0; count < 5; count++) {
    await small.execute({ action: "set", key: `/${count}`, value: "" });
  }
  const large = new MemoryKeySpace({ historySize: 1000 }, small.snapshot());
  const late = large.openWatch({ key: "/", recursive: true, waitIndex: 4 });
  await expect(late).rejects.toMatchObject({ code: "ETCD_EVENT_INDEX_CLEARED" });
  const held = await large.openWatch({ key: "/", recursive: true, waitIndex: 7 });
  for await (const event of held) expect(event.node.key).toBe("/3");
});

test("the history is limited by the length of keys and values, and always contains the last event", async () => {
  const keySpace = new MemoryKeySpace();
  const value = "v".repeat(10 * 1024 * 1024);
  for (let count = 0; count < 10; count++) {
    await keySpace.execute({ action: "set", key: "/large", value });
  }
  const { history, historyFloor } = keySpace.snapshot();
  expect(history.length).toBeLessThanOrEqual(3);
  expect(history.at(-1)?.node.modifiedIndex).toBe(keySpace.index);
  const { index } = keySpace;
  const late = keySpace.openWatch({ key: "/large", waitIndex: historyFloor - 1 });
  await expect(late).rejects.toMatchObject({ code: "ETCD_EVENT_INDEX_CLEARED" });
  const watch = await keySpace.openWatch({ key: "/large", waitIndex: index });
  for await (const event of watch) expect(event.node.modifiedIndex).toBe(index);
});
