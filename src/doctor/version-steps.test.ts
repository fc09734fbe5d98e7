import { expect, test } from "vitest";
import type { Finding } from "./finding.js";
import {
  checkStep,
  isPatchTooOld,
  lowestMinor,
  minorOf,
  nextMinor,
  stepTo,
  VERSION_STEPS,
} from "./version-steps.js";

function idsOf(from: string | undefined, to: string | undefined): readonly string[] {
  return checkStep(from, to, (next) => `doctor --to ${next}`).map(({ id }) => id);
}

test("the steps follow each other without a gap", () => {
  for (const [at, { from }] of VERSION_STEPS.entries()) {
    if (at > 0) expect(VERSION_STEPS[at - 1]?.to).toBe(from);
    expect(stepTo(nextMinor(from) ?? "")?.from).toBe(from);
  }
});

test.each([
  ["3.5", "3.6", []],
  ["3.6", "3.7", []],
  ["3.4", "3.6", ["release-skipped"]],
  ["3.3", "3.5", ["release-skipped"]],
  ["3.6", "3.6", ["same-release"]],
  ["3.6", "3.5", ["downgrade"]],
  ["3.10", "3.7", ["downgrade"]],
  ["3.7", undefined, ["step-unknown"]],
  [undefined, "3.6", ["version-unknown"]],
])("from %s to %s: %s", (from, to, ids) => {
  expect(idsOf(from, to)).toEqual(ids);
});

test("a skipped release is named with the command that checks it", () => {
  const [skipped] = checkStep("3.4", "3.7", (to) => `doctor --to ${to}`) as [Finding];
  expect(skipped.mend.at(-1)).toBe("doctor --to 3.5");
});

test("releases are read from versions, and compared as numbers", () => {
  expect(["3.5.35", "3.6.0-rc.1", "3.10", "not_decided", "", "x3.5"].map(minorOf)).toEqual([
    ...["3.5", "3.6", "3.10", undefined, undefined, undefined],
  ]);
  expect(lowestMinor(["3.10", "3.9", "3.11"])).toBe("3.9");
  expect(lowestMinor([])).toBeUndefined();
});

test.each([
  ["3.5.25", true],
  ["3.5.26", false],
  ["3.5.0", true],
  ["3.6.0", false],
  ["nonsense", false],
])("etcd %s is too old for 3.6: %s", (version, isOld) => {
  const step = stepTo("3.6");
  expect(step && isPatchTooOld(version, step)).toBe(isOld);
});
