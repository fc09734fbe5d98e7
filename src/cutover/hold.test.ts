import { expect, test } from "vitest";
import { SimulatedClock } from "../../test/support/simulated-clock.js";
import { ClusterUnavailableError, OutcomeUnknownError } from "../errors/cluster-errors.js";
import { GuardLostError } from "../etcd3/guarded-v3-api.js";
import type { KeySpace } from "../key-space/key-space.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import { CutoverRecords } from "./cutover-records.js";
import type { CutoverState } from "./cutover-state.js";
import { Hold, type HoldSettings } from "./hold.js";
import type { CutoverTarget } from "./open-target.js";

const ARMED: CutoverState = {
  ...{ phase: "armed", clusterId: "1", gateways: 1, hold: 2_000, end: 0, switches: 0 },
  ...{ switchedAt: 0, returnedAt: 0, isFinished: false, passwords: "" },
};
const unknown = new OutcomeUnknownError("PUT /state", "", new Error("lost"));
const unavailable = new ClusterUnavailableError("anything", []);

/** A hold, which has begun if `isHolding`. What `fail` returns is what requests end with, after they were executed if `isExecuted`. */
async function begun(isHolding = true) {
  const clock = new SimulatedClock();
  const store = new MemoryKeySpace({ clock });
  let fail: (action: string) => Error | undefined = () => undefined;
  let isExecuted = false;
  const keySpace = Object.create(store) as KeySpace;
  keySpace.execute = async (request) => {
    const error = fail(request.action);
    const response = error === undefined || isExecuted ? await store.execute(request) : undefined;
    if (error !== undefined) throw error;
    return response as never;
  };
  const records = new CutoverRecords(keySpace);
  const guard = { follow: () => {} };
  const settings = { failure: "not switched" } as HoldSettings;
  const target = { records, clock, guard } as unknown as CutoverTarget;
  const hold = new Hold(target, await records.create(ARMED), settings);
  if (isHolding) await hold.begin("holding");
  const failWith = (isCarriedOut: boolean, next: typeof fail): void => {
    isExecuted = isCarriedOut;
    fail = next;
  };
  return { clock, records, hold, failWith };
}

test.each([
  [true, "target"],
  [false, "holding"],
])(
  "a decision whose outcome is unknown stays unknown while v3 is away; carried out: %j",
  async (isCarriedOut, phase) => {
    const { clock, records, hold, failWith } = await begun();
    let attempts = 0;
    failWith(isCarriedOut, () => (++attempts === 1 ? unknown : unavailable));
    const decided = hold.decide("target", 7).catch((error: unknown) => error);
    await clock.pass(20);
    failWith(false, () => unavailable);
    await clock.pass(10_000);
    expect(await decided).toBe(unknown);
    failWith(false, () => undefined);
    expect((await records.read())?.phase).toBe(phase);
  },
);

test("a decision whose outcome was unknown is found, also when its first reading fails", async () => {
  const { clock, hold, failWith } = await begun();
  let gets = 0;
  failWith(true, (action) => (action === "get" ? undefined : unknown));
  const decided = hold.decide("target", 7);
  await clock.pass(1);
  failWith(false, (action) => (action === "get" && ++gets === 1 ? unavailable : undefined));
  await clock.pass(1_000);
  await decided;
  expect([gets, hold.state.phase]).toEqual([2, "target"]);
});

test("only a hold that has begun took too long", async () => {
  const waiting = await begun(false);
  const lost = new GuardLostError();
  expect((await waiting.hold.whyLost(lost)).message).toContain("another process has taken over");
  const { records, hold } = await begun();
  await records.change(hold.state, ARMED);
  expect((await hold.whyLost(lost)).message).toContain("took longer than the hold");
});
