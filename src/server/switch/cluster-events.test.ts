import { expect, it } from "vitest";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import type { Subscription } from "../../key-space/subscription.js";
import type { EtcdResponse } from "../../model/response.js";
import { nextTurn } from "../../time/event-loop.js";
import { ClusterEvents } from "./cluster-events.js";

const ORIGIN = { etcdServer: "", etcdClusterId: "c", etcdIndex: 105, raftIndex: 0, raftTerm: 0 };

/** The events of a v2 cluster that were collected up to an index. */
function collected(upTo: number): ClusterEvents {
  const store = new MemoryKeySpace();
  const subscribe = (...call: Parameters<MemoryKeySpace["subscribe"]>): Subscription => {
    const subscription = store.subscribe(...call);
    return Object.defineProperty(subscription, "index", { value: upTo });
  };
  return new ClusterEvents(
    { subscribe },
    "",
    1,
    () => true,
    async (event) => event,
  );
}

it("tells no index up to which events may still come", () => {
  // A client takes it for the proof that there was no event up to there.
  const request = { key: "/a", recursive: true, waitIndex: 90 };
  const { etcdIndex } = collected(89).open(request, 90, ORIGIN, undefined);
  expect(etcdIndex).toBe(89);
  const { signal } = new AbortController();
  expect(collected(89).follow(request, 90, ORIGIN, signal).etcdIndex).toBe(89);
  expect(collected(200).follow(request, 90, ORIGIN, signal).etcdIndex).toBe(105);
});

it("delivers all events up to the end, also those that are not shown yet", async () => {
  const store = new MemoryKeySpace();
  let release: () => void = () => {};
  const waiting = new Promise<void>((resolve) => {
    release = resolve;
  });
  const show = async (event: EtcdResponse) => {
    if (event.node.value === "3") await waiting;
    return event;
  };
  const events = new ClusterEvents(store, "", 1, () => true, show);
  const { signal } = new AbortController();
  const watch = events.open({ key: "/a", stream: true }, 1, ORIGIN, undefined);
  const set = async (value: string) =>
    (await store.execute({ action: "set", key: "/a", value })).etcdIndex;
  await set("1");
  const second = await set("2");
  const third = await set("3");
  await events.reached(second, signal);
  const ended = events.endAt(third, signal);
  await nextTurn();
  expect(events.open({ key: "/a" }, third + 1, ORIGIN, undefined).etcdIndex).toBe(second);
  release();
  await ended;
  watch.end();
  const values: unknown[] = [];
  for await (const { node } of watch) values.push(node.value);
  expect(values).toEqual(["1", "2", "3"]);
});
