import { expect, it } from "vitest";
import { CountText } from "./count-text.js";

it("has the count, the total, the rate and the remaining time", () => {
  const text = new CountText("exporting");
  expect(text.of(0, 100_121, 0)).toBe("exporting 0 / 100,121 keys");
  expect(text.of(1_000, 100_121, 1_000)).toBe("exporting 1,000 / 100,121 keys · 1,000 keys/s");
  expect(text.of(13_121, 100_121, 5_000)).toBe(
    "exporting 13,121 / 100,121 keys · 2,624 keys/s · 33s left",
  );
});

it("claims no end when there is more than was counted", () => {
  const text = new CountText("comparing");
  text.of(0, 10, 0);
  expect(text.of(20, 10, 10_000)).toBe("comparing 20 / 20 keys · 2 keys/s");
});

it("has no total if nothing was counted", () => {
  const text = new CountText("comparing");
  text.of(0, undefined, 0);
  expect(text.of(20, undefined, 10_000)).toBe("comparing 20 keys · 2 keys/s");
});
