import { expect, it } from "vitest";
import type { Changes, Resync, Subscription } from "../../key-space/subscription.js";
import { AsyncQueue } from "../../stream/async-queue.js";
import { nextTurn } from "../../time/event-loop.js";
import { ChangeFeed } from "./change-feed.js";

const ORIGIN = { etcdServer: "", etcdClusterId: "", etcdIndex: 0, raftIndex: 0, raftTerm: 0 };

function changeAt(index: number): Changes {
  const node = { key: `/${index}`, value: "x", modifiedIndex: index, createdIndex: index };
  return { type: "changes", changes: [{ action: "set", node, ...ORIGIN }] };
}

function resyncAt(index: number, reason: Resync["reason"]): Resync {
  return { type: "resync", reason, response: null, index, etcdServer: "", etcdClusterId: "" };
}

it("takes changes up to the end, but never ignores that history was lost", async () => {
  const items = new AsyncQueue<Changes | Resync>();
  const subscription = { [Symbol.asyncIterator]: () => items, next: () => items.next() };
  const feed = new ChangeFeed([subscription as unknown as Subscription], ["/"]);
  items.put(resyncAt(1, "initial"));
  await feed.untilOpen();
  items.put(changeAt(2));
  await feed.untilChange();
  const cut = feed.hold();
  for (const item of [changeAt(3), changeAt(4), changeAt(5)]) items.put(item);
  await nextTurn();
  expect(feed.take().map(({ key }) => key)).toEqual(["/2"]);
  cut(4);
  await nextTurn();
  expect(feed.take().map(({ key }) => key)).toEqual(["/3", "/4"]);
  items.put(resyncAt(9, "history-cleared"));
  await nextTurn();
  expect(feed.take()).toEqual([{ index: 0, kind: "tree", key: "/", directory: undefined }]);
});
