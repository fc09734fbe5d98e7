import fc from "fast-check";
import { expect, it } from "vitest";
import { SEED } from "../../../test/support/seed.js";
import { LinearPattern } from "./linear-pattern.js";

/** Random patterns of every kind of part. */
const pattern = fc.letrec<{ node: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    fc.constantFrom(
      "a",
      "b",
      "B",
      "é",
      "ß",
      "K",
      "😀",
      ".",
      "^",
      "$",
      "\\b",
      "\\B",
      "\\d",
      "\\W",
      "\\s",
      "\\n",
    ),
    fc.constantFrom("[ab]", "[^a]", "[a-c1]", "[\\d-]", "[^\\w]", "\\.", "[^]", "[]"),
    {
      arbitrary: fc
        .tuple(fc.constantFrom("(", "(?:"), tie("node"))
        .map(([open, node]) => `${open}${node})`),
      weight: 1,
    },
  ),
  node: fc
    .array(
      fc
        .tuple(
          tie("atom"),
          fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "|"),
        )
        .map(
          ([atom, suffix]) =>
            `${atom}${/^[\^$]|^\\[bB]/.test(atom) && suffix !== "|" ? "" : suffix}`,
        ),
      { maxLength: 4 },
    )
    .map((parts) => parts.join("")),
})).node;

const text = fc.string({
  unit: fc.constantFrom("a", "b", "c", "1", "-", "A", "É", "K", "\n", " ", "😀", "é"),
  maxLength: 12,
});

it("finds the same as RegExp", () => {
  fc.assert(
    fc.property(pattern, text, fc.boolean(), (source, subject, ignoreCase) => {
      const expected = new RegExp(source, ignoreCase ? "imu" : "mu");
      expect(new LinearPattern(source, ignoreCase).test(subject)).toBe(expected.test(subject));
    }),
    { seed: SEED, numRuns: 5_000 },
  );
});

it.each(["(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*)(.*)(.*)(.*)b", "(a?){50}a{50}b", "((a*)*)*b"])(
  "takes linear time for %s",
  (source) => {
    expect(new LinearPattern(source, false).test("a".repeat(20_000))).toBe(false);
    expect(new LinearPattern(source, false).test(`${"a".repeat(20_000)}b`)).toBe(true);
  },
);

it.each([
  ["(a", "a ( has no )"],
  ["a)", "a ) has no ("],
  ["[a", "a [ has no ]"],
  ["*a", "nothing to repeat"],
  ["a**", "nothing to repeat"],
  ["(?=a)", "lookaround is not linear"],
  ["(a)\\1", "\\1 is not supported"],
  ["a\\", "it ends too early"],
  ["[b-a]", "b-a is no range"],
  ["a{2,1}", "{2,1} is no range"],
  ["((a{100}){100}){100}", "too large"],
  ["(((){1000}){1000}){1000}", "too large"],
])("refuses %s", (source, problem) => {
  expect(() => new LinearPattern(source, false)).toThrow(problem);
});

it("refuses a long pattern", () => {
  expect(() => new LinearPattern("a".repeat(1_001), false)).toThrow("longer than 1000 characters");
});
