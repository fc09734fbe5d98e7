import { expect, test } from "vitest";
import { Currency } from "./currency.js";

test("a watch is as current as the last reading that it has reached", () => {
  const currency = new Currency();
  currency.note(10, 1_000);
  currency.reach(9);
  expect(currency.provenAt).toBeUndefined();
  currency.note(20, 2_000);
  currency.note(30, 3_000);
  currency.reach(10);
  expect(currency.provenAt).toBe(1_000);
  currency.reach(30);
  expect(currency.provenAt).toBe(3_000);
});

test("readings of another cluster prove nothing", () => {
  const currency = new Currency();
  currency.note(10, 1_000);
  currency.reach(10);
  currency.note(11, 2_000);
  currency.forgetReadings();
  currency.reach(100);
  expect(currency.provenAt).toBe(1_000);
});
