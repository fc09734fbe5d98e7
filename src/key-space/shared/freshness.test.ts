import { expect, test } from "vitest";
import { Freshness } from "./freshness.js";

test("a watch is as current as the last reading that it has reached", () => {
  const freshness = new Freshness();
  freshness.recordRead(10, 1_000);
  freshness.advanceTo(9);
  expect(freshness.provenAt).toBeUndefined();
  freshness.recordRead(20, 2_000);
  freshness.recordRead(30, 3_000);
  freshness.advanceTo(10);
  expect(freshness.provenAt).toBe(1_000);
  freshness.advanceTo(30);
  expect(freshness.provenAt).toBe(3_000);
});

test("readings of another cluster prove nothing", () => {
  const freshness = new Freshness();
  freshness.recordRead(10, 1_000);
  freshness.advanceTo(10);
  freshness.recordRead(11, 2_000);
  freshness.forgetReads();
  freshness.advanceTo(100);
  expect(freshness.provenAt).toBe(1_000);
});
