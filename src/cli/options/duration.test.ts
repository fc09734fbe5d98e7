import { describe, expect, it } from "vitest";
import { parseDuration, parseSeconds } from "./duration.js";

describe("a duration", () => {
  it.each([
    ["0", 0],
    ["2", 2_000],
    ["2.5", 2_500],
    ["2s", 2_000],
    ["500ms", 500],
    ["1.5s", 1_500],
    ["1m30s", 90_000],
    ["1h", 3_600_000],
  ])("%s is %i ms", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(["", " ", "-1", "+1", "1e3", "0x10", "2s5", "5 s", "s", ".5", "1d", "597h", "2149000"])(
    "%j is refused",
    (text) => {
      expect(() => parseDuration(text)).toThrow("It must be");
    },
  );
});

describe("whole seconds", () => {
  it.each([
    ["0", 0],
    ["90", 90],
    ["90s", 90],
    ["1m30s", 90],
    ["2000ms", 2],
    ["1000h", 3_600_000],
    ["9007199254740", 9_007_199_254_740],
  ])("%s are %i", (text, seconds) => {
    expect(parseSeconds(text)).toBe(seconds);
  });

  it.each(["", "-1", "1.5", "1500ms", "1d", "99999999999999999999"])("%j are refused", (text) => {
    expect(() => parseSeconds(text)).toThrow("It must be a whole number of seconds");
  });
});
