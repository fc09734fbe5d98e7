import { expect, it } from "vitest";
import { systemClock } from "../../time/clock.js";
import { Watermark } from "./watermark.js";

it("notifies waiting callers when the number is reached, not before", async () => {
  const watermark = new Watermark();
  const done: number[] = [];
  const waiting = [5, 3].map(async (number) => {
    await watermark.until(number, 60_000, systemClock);
    done.push(number);
  });
  watermark.set(2);
  expect(done).toEqual([]);
  watermark.set(4);
  await waiting[1];
  expect(done).toEqual([3]);
  watermark.set(5);
  await Promise.all(waiting);
  await watermark.until(1, 60_000, systemClock);
});

it("a caller waits no longer than its timeout", async () => {
  let timeIsUp: () => void = () => {};
  const after = (_milliseconds: number, callback: () => void): (() => void) => {
    timeIsUp = callback;
    return () => {};
  };
  const watermark = new Watermark();
  const waiting = watermark.until(1, 10, {
    now: systemClock.now,
    monotonic: systemClock.monotonic,
    after,
  });
  timeIsUp();
  await waiting;
});
