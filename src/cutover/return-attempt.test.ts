import { expect, test } from "vitest";
import { SimulatedClock } from "../../test/support/simulated-clock.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import { CutoverRecords } from "./cutover-records.js";
import { ReturnAttempt } from "./return-attempt.js";

const LATE_MS = 60_000;

function arrange() {
  const clock = new SimulatedClock();
  const records = new CutoverRecords(new MemoryKeySpace({ clock }));
  const begin = (from = records) => ReturnAttempt.begin(from, clock, LATE_MS);
  return { clock, records, begin };
}

test("after an attempt whose writes may arrive late, the next one waits as long", async () => {
  const { clock, begin } = arrange();
  const first = await begin();
  await clock.pass(600_000);
  await expect(begin()).rejects.toThrow("run it again in");
  await first[Symbol.asyncDispose]();
  await clock.pass(LATE_MS - 2_000);
  await expect(begin()).rejects.toThrow(/run it again in \d s$/);
  await clock.pass(3_000);
  await (await begin())[Symbol.asyncDispose]();
});

test("after a clean attempt, the next one begins at once", async () => {
  const { begin } = arrange();
  const first = await begin();
  first.isClean = true;
  await first[Symbol.asyncDispose]();
  await expect(begin()).resolves.toBeDefined();
});

test("an attempt ends when another process may return", async () => {
  const { clock, records, begin } = arrange();
  const { lost } = await begin();
  await clock.pass(10_000);
  expect(lost.aborted).toBe(false);
  await records.keySpace.execute({ action: "delete", key: "/return" });
  await clock.pass(10_000);
  expect(String(lost.reason)).toContain("another process may return");
});

test("without a response of v3, an attempt ends so early that its last write arrives before the next one begins", async () => {
  const { clock, records, begin } = arrange();
  let isReachable = true;
  const { keySpace } = records;
  const execute: typeof keySpace.execute = (...call) =>
    isReachable ? keySpace.execute(...call) : new Promise(() => {});
  const { lost } = await begin(
    new CutoverRecords(Object.assign(Object.create(keySpace), { execute })),
  );
  await clock.pass(100_000);
  isReachable = false;
  for (let passed = 0; passed < LATE_MS && !lost.aborted; passed += 1_000) await clock.pass(1_000);
  expect(String(lost.reason)).toContain("could not be renewed");
  await clock.pass(LATE_MS - 1_000);
  await expect(begin()).rejects.toThrow("run it again in");
  await clock.pass(10_000);
  await expect(begin()).resolves.toBeDefined();
});
