// @ts-check
// Refuses a release whose tag, package.json and changelog differ: `node scripts/release-version.mjs v0.1.0`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./project.mjs";

/**
 * What prevents a release, one line for each problem.
 *
 * @param {string} tag
 * @param {string} version of package.json
 * @param {string} changelog
 */
export function releaseProblems(tag, version, changelog) {
  const problems = [];
  if (tag !== `v${version}`) problems.push(`the tag ${tag} is not v${version}`);
  const headings = changelog.split("\n").filter((line) => line.startsWith("## "));
  const start = `## [${version}] - `;
  const isDated = (/** @type {string} */ line) =>
    /^\d{4}-\d\d-\d\d$/.test(line.slice(start.length));
  if (!headings.some((line) => line.startsWith(start) && isDated(line))) {
    problems.push(`CHANGELOG.md has no line "${start}YYYY-MM-DD"`);
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = (/** @type {string} */ file) => readFileSync(join(root, file), "utf8");
  const { version } = JSON.parse(read("package.json"));
  const problems = releaseProblems(process.argv[2] ?? "", version, read("CHANGELOG.md"));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
