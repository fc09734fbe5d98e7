/** The documents about the code refer to files and identifiers that exist. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../scripts/project.mjs";

const DOCUMENTS = ["docs/architecture.md", "CONTRIBUTING.md", "SECURITY.md"];
/** In backticks: a class, or a function with at least two words. */
const IDENTIFIER = /`([A-Z][a-z]\w*|[a-z]+[A-Z]\w*)(?:\.(\w+))?(?:\([^`]*\))?`/g;
/** In backticks: a file of the repository. */
const FILE = /`((?:src|test|scripts|docs)\/[\w/.-]+\.\w+)`/g;
/** In the glossary: a file below `src/` in the last column. */
const GLOSSARY_FILE = /\| `(?!src\/|test\/)([\w/.-]+\.ts)` \|$/gm;

const sources = ["src", "scripts", "test"]
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) =>
      join(folder, name),
    ),
  )
  .filter((file) => /\.(ts|mjs)$/.test(file))
  .map((file) => readFileSync(join(root, file), "utf8"))
  .join("\n");
const words = new Set(sources.match(/\w+/g));

/** The references of a document that lead nowhere. */
function deadReferencesIn(text: string): readonly string[] {
  const identifiers = [...text.matchAll(IDENTIFIER)].flatMap((found) => found.slice(1));
  const files = [
    ...[...text.matchAll(FILE)].map(([, file = ""]) => file),
    ...[...text.matchAll(GLOSSARY_FILE)].map(([, file = ""]) => `src/${file}`),
  ];
  return [
    ...identifiers.filter((name) => name !== undefined && !words.has(name)),
    ...files.filter((file) => !existsSync(join(root, file))),
  ];
}

test.each(DOCUMENTS)("%s refers to files and identifiers that exist", (document) => {
  expect(deadReferencesIn(readFileSync(join(root, document), "utf8"))).toEqual([]);
});

test("a reference that leads nowhere is found", () => {
  // The names are put together here: every word of this file counts as an identifier.
  const none = (name: string): string => ["no", "such", name].join("_");
  const names = ["a", "b", "c"].map((name) => `${name}A${none(name)}`);
  const [first, second, third] = names;
  const file = `test/${none("g")}.test.ts`;
  const text = `\`${first}\` \`EtcdClient.${second}\` \`${third}()\` \`${file}\`
| d | e | \`${none("f")}.ts\` |`;
  expect(deadReferencesIn(text)).toEqual([...names, file, `src/${none("f")}.ts`]);
});
