import { expect, test, vi } from "vitest";
import { SimulatedClock } from "../../test/support/simulated-clock.js";
import { ReconnectPace } from "./reconnect-pace.js";

const clock = new SimulatedClock();
const delaysOf = (pace: ReconnectPace, count: number): number[] =>
  Array.from({ length: count }, () => {
    pace.opens();
    return pace.next();
  });

test("pauses grow with failures up to 4 seconds", () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  expect(delaysOf(new ReconnectPace(clock), 7)).toEqual([0, 500, 1000, 2000, 4000, 4000, 4000]);
  vi.restoreAllMocks();
});

test("progress resets them, however short its connection was", () => {
  const pace = new ReconnectPace(clock);
  delaysOf(pace, 5);
  pace.opens();
  pace.progress();
  expect(pace.next()).toBe(0);
  expect(pace.next()).toBeGreaterThan(0);
});
