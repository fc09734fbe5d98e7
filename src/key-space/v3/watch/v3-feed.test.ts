import { expect, test, vi } from "vitest";
import { randomFrom } from "../../../../test/support/random-from.js";
import { SimulatedClock } from "../../../../test/support/simulated-clock.js";
import { SimulatedV3 } from "../../../../test/support/simulated-v3.js";
import type { SubscribeRequest } from "../../subscription.js";
import { V3KeySpace } from "../v3-key-space.js";

const REQUEST: SubscribeRequest = {
  key: "/w",
  recursive: true,
  from: "state",
  state: "full",
  bufferSize: 10,
  pollInterval: 60_000,
};

test("the watch on etcd does not stop while a subscription reads its state", async () => {
  const clock = new SimulatedClock();
  const etcd = new SimulatedV3(clock, randomFrom(1));
  const keySpace = new V3KeySpace(etcd, { clock, idleTimeout: 0 });
  const watches = vi.spyOn(etcd, "watch");
  const first = keySpace.subscribe(REQUEST);
  await clock.pass(1_000);
  const reads = vi.spyOn(etcd, "call");
  const second = keySpace.subscribe(REQUEST);
  const next = second.next();
  // The second call is the read of the state.
  while (reads.mock.calls.length < 2) await clock.pass(1);
  first.close();
  await clock.pass(1_000);
  expect(await next).toMatchObject({ value: { type: "resync", reason: "initial" } });
  expect(watches).toHaveBeenCalledTimes(1);
  second.close();
  await keySpace.close();
  await clock.pass(1_000);
  expect(clock.pending).toBe(0);
});
