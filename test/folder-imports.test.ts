import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  importsBetween,
  importsOnCycles,
  packageSources,
  roomOf,
} from "../scripts/folder-imports.mjs";
import { root } from "../scripts/project.mjs";

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

describe("docs/pictures/layers.svg", () => {
  const picture = readFileSync(join(root, "docs/pictures/layers.svg"), "utf8");
  /** How far down each folder is. */
  const layers = new Map<string, number>(
    [...picture.matchAll(/y="(\d+)"><tspan class="folder">([\w-]+)</g)].map(([, y, name]) => [
      `src/${name}`,
      Number(y),
    ]),
  );
  const lowest = Math.max(...layers.values());

  /** The imports that lead to no lower layer. Within the lowest one they may. */
  function importsUpwards(sources: ReadonlyMap<string, string>): readonly string[] {
    return importsBetween(sources, roomOf)
      .filter(({ from, to }) => {
        const [above = Number.NaN, below = Number.NaN] = [layers.get(from), layers.get(to)];
        return layers.has(from) && !(below > above || (above === lowest && below === lowest));
      })
      .map(({ file, to }) => `${file} -> ${to}`);
  }

  it("has every folder of src/", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `src/${name}`);
    expect([...layers.keys()].sort()).toEqual(folders.sort());
  });

  it("shows each folder above the folders that it imports", () => {
    expect(importsUpwards(packageSources())).toEqual([]);
  });

  it("is contradicted by an import that leads upwards", () => {
    const wrong = sources({ "watch/a.ts": 'import "../client/b.js"; import "../model/c.js";' });
    expect(importsUpwards(wrong)).toEqual(["src/watch/a.ts -> src/client"]);
  });
});
