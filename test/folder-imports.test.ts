import { describe, expect, it } from "vitest";
import { importsOnCycles } from "../scripts/folder-imports.mjs";

/** Sources by path, of which each imports the modules named. */
function sources(imports: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(imports).map(([file, code]) => [`src/${file}`, code]));
}

describe("npm run check refuses imports between folders", () => {
  it.each([
    ["that form a cycle", 'import { a } from "../upper/a.js";', ["src/lower/b.ts -> src/upper"]],
    [
      "that are type-only",
      'import type { A } from "../upper/a.js";',
      ["src/lower/b.ts -> src/upper"],
    ],
    ["that are dynamic", 'await import("../upper/a.js");', ["src/lower/b.ts -> src/upper"]],
    ["in an import type", 'type A = import("../upper/a.js").A;', ["src/lower/b.ts -> src/upper"]],
  ])("%s", (_what, code, expected) => {
    const found = importsOnCycles(
      sources({ "upper/a.ts": 'export { b } from "../lower/b.js";', "lower/b.ts": code }),
    );
    expect(found).toEqual(expect.arrayContaining(expected));
  });

  it("through a third folder", () => {
    const found = importsOnCycles(
      sources({
        "a/a.ts": 'import "../b/b.js";',
        "b/b.ts": 'import "../b/deep/c.js";',
        "b/deep/c.ts": 'import "../../a/a.js";',
      }),
    );
    expect(found).toHaveLength(3);
  });

  it("and accepts imports in one direction, and cycles of files in one folder", () => {
    const found = importsOnCycles(
      sources({
        "upper/a.ts": 'import "../lower/b.js"; import "./c.js"; import "undici";',
        "upper/c.ts": 'import "./a.js";',
        "lower/b.ts": 'import "node:fs";',
      }),
    );
    expect(found).toEqual([]);
  });
});
