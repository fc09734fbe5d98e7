import { expect, test } from "vitest";
import { SimulatedClock } from "../../../../test/support/simulated-clock.js";
import { SimulatedCluster } from "../../../../test/watch/simulated-cluster.js";
import type { WatchRequest } from "../../../model/key-request.js";
import { watchOnce } from "../../../watch/watch-once.js";
import type { CallOptions } from "../../call-options.js";
import type { KeyWatch } from "../../key-space.js";
import { CheckedPoll } from "./checked-poll.js";
import { SharedReads } from "./shared-reads.js";

/** A wait for one event of `/w`, on a connection that the test harms. */
async function begin(signal?: AbortSignal) {
  const clock = new SimulatedClock();
  const keySpace = new SimulatedCluster(clock, () => 0.5, "etcd");
  keySpace.commit("set", "/w");
  const context = { keySpace, requests: keySpace, reads: new SharedReads(keySpace, clock), clock };
  const openWatch = async (request: WatchRequest, options: CallOptions = {}): Promise<KeyWatch> => {
    const poll = await keySpace.openWatch(request, options);
    return new CheckedPoll(poll, request, context, options.signal);
  };
  const event = watchOnce({ keySpace: { openWatch }, clock }, { key: "/w" }, { signal });
  await clock.pass(100);
  return { clock, keySpace, event };
}

test("what was sent into a dead connection is found in history within half a minute", async () => {
  const { clock, keySpace, event } = await begin();
  for (const watch of keySpace.watches) watch.harm("dead");
  keySpace.commit("set", "/w");
  await clock.pass(31_000);
  expect((await event).node.modifiedIndex).toBe(2);
  expect(clock.pending).toBe(0);
});

test("a watch that is quiet for long, while the store moves on, keeps its place in history", async () => {
  const { clock, keySpace, event } = await begin();
  for (let minute = 0; minute < 10; minute++) {
    for (let n = 0; n < 250; n++) keySpace.commit("set", "/elsewhere");
    await clock.pass(31_000);
  }
  for (const watch of keySpace.watches) watch.cut();
  keySpace.commit("set", "/w");
  await clock.pass(5_000);
  expect((await event).node.modifiedIndex).toBe(2_502);
  expect(keySpace.cleared).toBe(0);
});

test("the watch reports an abort, and nothing is left behind", async () => {
  const abort = new AbortController();
  const { clock, event } = await begin(abort.signal);
  abort.abort(new Error("enough"));
  await expect(event).rejects.toMatchObject({ name: "AbortError", message: /simulated/ });
  expect(clock.pending).toBe(0);
});
