import { expect, test } from "vitest";
import type { EtcdResponse } from "../../model/response.js";
import { nextTurn } from "../../time/event-loop.js";
import { STEP_NODES } from "./listing.js";
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

test("other requests are executed during large listings, which run one after the other", async () => {
  const keySpace = new MemoryKeySpace();
  const children = 3 * STEP_NODES;
  for (let count = 0; count < children; count++) {
    await keySpace.execute({ action: "set", key: `/flat/${count}`, value: "old" });
  }
  const ended: string[] = [];
  const list = async (name: string): Promise<EtcdResponse> => {
    const response = await keySpace.execute({ action: "get", key: "/flat", sorted: true });
    ended.push(name);
    return response;
  };
  const [first, second] = [list("first"), list("second")];
  let written = 0;
  while (ended.length === 0) {
    await nextTurn();
    await keySpace.execute({ action: "set", key: `/flat/${written++}`, value: "new" });
  }
  // Three sorted runs, two merges, and the nodes.
  expect(written).toBeGreaterThan(8);
  const { node, etcdIndex } = await first;
  expect(node.nodes).toHaveLength(children);
  expect(node.nodes?.every(({ value }) => value === "old")).toBe(true);
  const later = await second;
  expect(ended).toEqual(["first", "second"]);
  expect(later.etcdIndex).toBeGreaterThan(etcdIndex);
  expect(later.node.nodes?.filter(({ value }) => value === "new").length).toBeGreaterThan(0);
});

test("a large listing ends when it is aborted, and when the key space is closed", async () => {
  const keySpace = new MemoryKeySpace();
  for (let count = 0; count <= STEP_NODES; count++) {
    await keySpace.execute({ action: "set", key: `/flat/${count}`, value: "" });
  }
  const controller = new AbortController();
  const { signal } = controller;
  const aborted = keySpace.execute({ action: "get", key: "/flat" }, { signal });
  const closed = keySpace.execute({ action: "get", key: "/flat" });
  controller.abort();
  await expect(aborted).rejects.toMatchObject({ name: "AbortError", outcome: "none" });
  await keySpace.close();
  await expect(closed).rejects.toThrow("the key space is closed");
});
