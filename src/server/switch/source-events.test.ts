import { expect, it } from "vitest";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import type { Subscription } from "../../key-space/subscription.js";
import { SourceEvents } from "./source-events.js";

const ORIGIN = { etcdServer: "", etcdClusterId: "c", etcdIndex: 105, raftIndex: 0, raftTerm: 0 };

/** The events of a v2 cluster that were collected up to an index. */
function collected(upTo: number): SourceEvents {
  const store = new MemoryKeySpace();
  const subscribe = (...call: Parameters<MemoryKeySpace["subscribe"]>): Subscription => {
    const subscription = store.subscribe(...call);
    return Object.defineProperty(subscription, "index", { value: upTo });
  };
  return new SourceEvents(
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
