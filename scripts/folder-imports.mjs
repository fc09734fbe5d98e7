// @ts-check
// Proves that imports between the folders of src/ run in one direction: no folder imports, directly or
// through others, a folder that imports it. Type-only and dynamic imports count.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { root } from "./project.mjs";

/**
 * The imports that leave their folder.
 *
 * @param {ReadonlyMap<string, string>} sources source by path, such as `src/model/node.ts`
 * @param {(file: string) => string} folderOf the folder that a file counts to
 * @returns {{ file: string, from: string, to: string }[]}
 */
export function importsBetween(sources, folderOf) {
  return [...sources].flatMap(([file, source]) => {
    const from = folderOf(file);
    return importedNames(source)
      .map((name) => ({ file, from, to: folderOf(posix.join(posix.dirname(file), name)) }))
      .filter(({ to }) => to !== from);
  });
}

/**
 * The imports that lie on a cycle of folders, one line for each.
 *
 * @param {ReadonlyMap<string, string>} sources source by path, such as `src/model/node.ts`
 * @param {(file: string) => string} folderOf the folder that a file counts to
 * @returns {string[]}
 */
export function importsOnCycles(sources, folderOf = posix.dirname) {
  const imports = importsBetween(sources, folderOf);
  /** @type {Map<string, Set<string>>} */
  const edges = new Map();
  for (const { from, to } of imports) {
    edges.set(from, (edges.get(from) ?? new Set()).add(to));
  }
  return [
    ...new Set(
      imports
        .filter(({ from, to }) => reaches(edges, to, from))
        .map(({ file, to }) => `${file} -> ${to}`),
    ),
  ];
}

/** The folder of `src/` that a file lies in or below. @param {string} file */
export function roomOf(file) {
  return file.split("/").slice(0, 2).join("/");
}

/** @param {string} source @returns {string[]} relative module names */
function importedNames(source) {
  return ts
    .preProcessFile(source, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith("."));
}

/** @param {Map<string, Set<string>>} edges @param {string} start @param {string} goal */
function reaches(edges, start, goal) {
  const seen = new Set([start]);
  for (const folder of seen) {
    if (folder === goal) return true;
    for (const next of edges.get(folder) ?? []) seen.add(next);
  }
  return false;
}

/** The sources of the package, by path. */
export function packageSources() {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => `src/${file.replaceAll("\\", "/")}`);
  return new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sources = packageSources();
  const found = [...importsOnCycles(sources), ...importsOnCycles(sources, roomOf)];
  for (const line of found) console.error(line);
  if (found.length > 0) console.error("These imports lie on a cycle of folders: turn one round.");
  process.exit(found.length === 0 ? 0 : 1);
}
