import { expect, test } from "vitest";
import { ProbePace } from "./probe-pace.js";

/** The interval after so many probes of a store that moves by so many events per millisecond. */
function intervalAt(perMillisecond: number, pollInterval = 60_000): number {
  const pace = new ProbePace(pollInterval);
  let [index, at] = [0, 0];
  for (let probes = 0; probes < 20; probes++) {
    pace.note(Math.round(index), at);
    index += perMillisecond * pace.interval;
    at += pace.interval;
  }
  return pace.interval;
}

test("the faster the store moves, the more often it is probed: every 200 events", () => {
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
  const pace = new ProbePace(60_000);
  for (let at = 0; at <= 60_000; at += 5_000) pace.note(10, at);
  expect(pace.interval).toBe(5_000);
  pace.note(20_010, 65_000);
  expect(pace.interval).toBe(50);
});
