import { expect, test } from "vitest";
import { BackOff } from "./back-off.js";

const delays = (random: number, count: number): number[] => {
  const result: number[] = [];
  for (let backOff = BackOff.none; result.length < count; backOff = backOff.next()) {
    result.push(backOff.delay(() => random));
  }
  return result;
};

test("without a failure there is no delay; then it doubles up to 30 seconds", () => {
  expect(delays(1, 9)).toEqual([0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test("half of each delay is random", () => {
  expect(delays(0, 3)).toEqual([0, 250, 500]);
});

test("a failure returns a new value and does not change the old one", () => {
  const once = BackOff.none.next();
  once.next();
  expect(once.delay(() => 1)).toBe(500);
});
