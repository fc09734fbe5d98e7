import { expect, it } from "vitest";
import { Watermark } from "./watermark.js";

it("calls back once when the number is reached, not before", () => {
  const watermark = new Watermark();
  const done: number[] = [];
  for (const number of [5, 3]) watermark.whenReached(number, () => done.push(number));
  watermark.set(2);
  expect(done).toEqual([]);
  watermark.set(4);
  expect(done).toEqual([3]);
  watermark.set(5);
  watermark.set(6);
  expect(done).toEqual([3, 5]);
  watermark.whenReached(1, () => done.push(1));
  expect(done).toEqual([3, 5, 1]);
});

it("does not call back after a cancellation", () => {
  const watermark = new Watermark();
  const cancel = watermark.whenReached(1, () => expect.fail("called back"));
  cancel();
  watermark.set(1);
});
