import { expect, test } from "vitest";
import { Currency } from "./currency.js";

test("a watch is as current as the last reading that it has reached", () => {
  const currency = new Currency();
  currency.recordRead(10, 1_000);
  currency.advanceTo(9);
  expect(currency.provenAt).toBeUndefined();
  currency.recordRead(20, 2_000);
  currency.recordRead(30, 3_000);
  currency.advanceTo(10);
  expect(currency.provenAt).toBe(1_000);
  currency.advanceTo(30);
  expect(currency.provenAt).toBe(3_000);
});

test("readings of another cluster prove nothing", () => {
  const currency = new Currency();
  currency.recordRead(10, 1_000);
  currency.advanceTo(10);
  currency.recordRead(11, 2_000);
  currency.forgetReads();
  currency.advanceTo(100);
  expect(currency.provenAt).toBe(1_000);
});
