import { expect, it } from "vitest";
import { PushedWatch } from "../../shared/pushed-watch.js";
import type { StoreEvent } from "../../shared/store-event.js";
import { WatcherSet } from "./watcher-set.js";

/** A watch on a key that does not exist, opened at index 10. */
function watchFrom(since: number): PushedWatch {
  const origin = {
    etcdServer: "http://a",
    etcdClusterId: "1",
    etcdIndex: 10,
    raftIndex: 10,
    raftTerm: 1,
  };
  const options = {
    path: "/d/missing",
    recursive: false,
    since,
    until: "index",
    signal: undefined,
    delivered: () => 0,
  } as const;
  return new PushedWatch(origin, options, () => {});
}

function removalAt(index: number): { readonly index: number; readonly events: StoreEvent[] } {
  const node = { key: "/d", dir: true, modifiedIndex: index, createdIndex: 1 } as const;
  return { index, events: [{ action: "delete", node, prevNode: node }] };
}

const OPENING = { request: { key: "/d/missing" }, openedAt: 10, looksBack: false };

it("history is matched by its own rule, even if it is delivered late", () => {
  const [watchers, watch] = [new WatcherSet(), watchFrom(5)];
  watchers.add(watch, OPENING, 4);
  watchers.deliver(removalAt(4));
  expect(watch.ended).toBe(false);
  watchers.deliver(removalAt(10));
  expect(watch.ended).toBe(true);
});

it("later events are delivered as to every live watch", () => {
  const [watchers, watch] = [new WatcherSet(), watchFrom(5)];
  watchers.add(watch, OPENING, 4);
  watchers.deliver(removalAt(11));
  expect(watch.ended).toBe(false);
  const node = { key: "/d/missing", value: "1", modifiedIndex: 12, createdIndex: 12 };
  watchers.deliver({ index: 12, events: [{ action: "set", node }] });
  expect(watch.ended).toBe(true);
});

it("a watch without pending history is live at once", () => {
  const watchers = new WatcherSet();
  const [told, fromNow] = [watchFrom(5), watchFrom(11)];
  watchers.add(told, OPENING, 10);
  watchers.add(fromNow, OPENING, 4);
  watchers.deliver(removalAt(10));
  expect([told.ended, fromNow.ended, watchers.size]).toEqual([false, false, 2]);
  expect([watchers.remove(told), watchers.remove(told), watchers.size]).toEqual([true, false, 1]);
});
