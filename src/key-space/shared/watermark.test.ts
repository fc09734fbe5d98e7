import { expect, it } from "vitest";
import { systemClock } from "../../time/clock.js";
import { Watermark } from "./watermark.js";

it("notifies waiting callers when the number is reached, not before", async () => {
  const milestone = new Watermark(systemClock);
  const done: number[] = [];
  const waiting = [5, 3].map(async (number) => {
    await milestone.until(number, 60_000);
    done.push(number);
  });
  milestone.set(2);
  expect(done).toEqual([]);
  milestone.set(4);
  await waiting[1];
  expect(done).toEqual([3]);
  milestone.set(5);
  await Promise.all(waiting);
  await milestone.until(1, 60_000);
});

it("no caller waits longer than its limit", async () => {
  let timeIsUp: () => void = () => {};
  const after = (_milliseconds: number, callback: () => void): (() => void) => {
    timeIsUp = callback;
    return () => {};
  };
  const milestone = new Watermark({ ...systemClock, after });
  const waiting = milestone.until(1, 10);
  timeIsUp();
  await waiting;
});
