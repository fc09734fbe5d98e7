import { expect, it } from "vitest";
import type { Changes, Subscription } from "../key-space/subscription.js";
import { AsyncQueue } from "../stream/async-queue.js";
import { nextTurn } from "../time/event-loop.js";
import { KeyWatcher } from "./key-watcher.js";

const ORIGIN = { etcdServer: "", etcdClusterId: "1", etcdIndex: 5, raftIndex: 5, raftTerm: 1 };

/** A watcher of a subscription that has delivered two changes of index 5. */
function arranged() {
  const queue = new AsyncQueue<Changes>();
  const changes = ["/a", "/b"].map((key) => {
    const node = { key, value: "1", modifiedIndex: 5, createdIndex: 5 };
    return { ...ORIGIN, action: "set", node } as const;
  });
  queue.put({ type: "changes", changes });
  const subscription: Subscription = {
    ...{ opened: Promise.resolve(ORIGIN), index: 5, currentAt: 1, lastError: undefined },
    next: () => queue.next(),
    return: async () => ({ done: true, value: undefined }),
    reached: async () => {},
    close: () => queue.discard(),
    [Symbol.asyncIterator]: () => subscription,
  };
  return new KeyWatcher("/", subscription, () => {});
}

it("has reached an index when its last change is returned", async () => {
  const watcher = arranged();
  await watcher.next();
  let hasReached = false;
  const waiting = watcher.reached(5).then(() => {
    hasReached = true;
  });
  await nextTurn();
  await nextTurn();
  expect([hasReached, watcher.index]).toEqual([false, 4]);
  await watcher.next();
  await waiting;
  expect(watcher.index).toBe(5);
});

it("claims no dropped change after it is closed", async () => {
  const watcher = arranged();
  await watcher.next();
  const leaving = new AbortController();
  const waiting = [watcher.reached(5), watcher.reached(5, leaving)];
  leaving.abort();
  await expect(waiting[1]).rejects.toMatchObject({ name: "AbortError" });
  watcher.close();
  await expect(waiting[0]).rejects.toMatchObject({ name: "AbortError" });
  await expect(watcher.reached(5)).rejects.toMatchObject({ name: "AbortError" });
  expect(watcher.index).toBe(4);
  expect(await watcher.next()).toEqual({ done: true, value: undefined });
});
