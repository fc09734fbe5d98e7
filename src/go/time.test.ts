import { expect, it } from "vitest";
import { goDuration, goTime } from "./time.js";

it.each([
  [0, "0s"],
  [0.000001, "1ns"],
  [0.0125, "12.5µs"],
  [30, "30ms"],
  [1000, "1s"],
  [3068.790578, "3.068790578s"],
  [60_000, "1m0s"],
  [3_599_999, "59m59.999s"],
  [3_602_500, "1h0m2.5s"],
  [360_000_000, "100h0m0s"],
])("writes %d milliseconds as Go does", (milliseconds, text) => {
  expect(goDuration(milliseconds)).toBe(text);
});

it("writes a time without trailing zeros", () => {
  expect(goTime(0)).toBe("1970-01-01T00:00:00Z");
  expect(goTime(10_120)).toBe("1970-01-01T00:00:10.12Z");
});
