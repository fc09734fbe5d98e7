import { describe, expect, it } from "vitest";
import { unprovenExpressions } from "../scripts/regular-expressions.mjs";

describe("npm run check proves regular expressions linear", () => {
  it.each([
    ["an exponential expression", String.raw`/"(?:\\[(]|[^"])*"/`, "exponential"],
    ["a polynomial expression", String.raw`/^\s+|\s+$/g`, "2nd degree polynomial"],
    ["an expression that cannot be analysed", "/^0+(?=.)/", "too difficult"],
    ["an expression made at run time", 'new RegExp("^(?:a+)+$")', "write it as a literal"],
    ["a string used as an expression", '"text".match("(a+)+$")', "write it as a literal"],
  ])("refuses %s", (_what, expression, problem) => {
    const found = unprovenExpressions(
      "file.ts",
      `export const one = 1;\nexport const x = ${expression};\n`,
    );
    expect(found).toEqual([expect.stringContaining(problem)]);
    expect(found[0]).toMatch(/^file\.ts:2: /);
  });

  it("accepts expressions that match in one way only", () => {
    const source = String.raw`const all = [/^[^"\\]*(?:\\.[^"\\]*)*$/, /[ \t]*x/y, /a|b/g];`;
    expect(unprovenExpressions("file.ts", source)).toEqual([]);
  });
});
