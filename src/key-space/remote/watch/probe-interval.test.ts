import { expect, test } from "vitest";
import { ProbeInterval } from "./probe-interval.js";

/** The interval after so many probes of a store that moves by so many events per millisecond. */
function intervalAt(perMillisecond: number, pollInterval = 60_000): number {
  const interval = new ProbeInterval(pollInterval);
  let [index, at] = [0, 0];
  for (let probes = 0; probes < 20; probes++) {
    interval.record(Math.round(index), at);
    index += perMillisecond * interval.milliseconds;
    at += interval.milliseconds;
  }
  return interval.milliseconds;
}

test("the faster the store moves, the more often it is probed: every 200 changes", () => {
  expect(intervalAt(1)).toBeCloseTo(200, -1);
  expect(intervalAt(0.1)).toBeCloseTo(2_000, -2);
});

test("never more than 20 times a second", () => {
  expect(intervalAt(50)).toBe(50);
});

test("a store that rests is probed every five seconds, or as pollInterval says", () => {
  expect(intervalAt(0)).toBe(5_000);
  expect(intervalAt(0, 1_000)).toBe(1_000);
});

test("a burst is noticed with the next probe", () => {
  const interval = new ProbeInterval(60_000);
  for (let at = 0; at <= 60_000; at += 5_000) interval.record(10, at);
  expect(interval.milliseconds).toBe(5_000);
  interval.record(20_010, 65_000);
  expect(interval.milliseconds).toBe(50);
});
