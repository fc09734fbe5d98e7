// @ts-check
// Everything about the code; of what needs servers, only whether each benchmark runs.
import { binary, build, installPackages, run } from "./project.mjs";

installPackages();
build();

/** Arguments of Node by what they check. */
const checks = {
  types: [binary("typescript", "tsc"), "--noEmit", "-p", "tsconfig.json"],
  "types of the documentation": [binary("typescript", "tsc"), "-p", "docs/.vitepress"],
  "types of the page of the console": [binary("typescript", "tsc"), "--noEmit", "-p", "console"],
  "lint, format and import cycles": [binary("@biomejs/biome", "biome"), "ci", "."],
  "imports between folders": ["scripts/folder-imports.mjs"],
  "linear regular expressions": ["scripts/regular-expressions.mjs"],
  "dead code": [binary("knip")],
  "public types": ["scripts/public-types.mjs"],
  documentation: ["scripts/docs.mjs", "--check"],
  "pictures of commands": ["scripts/recordings.mjs", "--check"],
  benchmarks: ["bench/all.mjs", "--check"],
  "package exports": [binary("publint"), "--strict"],
  "package types": [
    binary("@arethetypeswrong/cli", "attw"),
    "--pack",
    "--profile",
    "node16",
    "--format",
    "ascii",
  ],
};

let failed = 0;
for (const [what, args] of Object.entries(checks)) {
  const ok = run(process.execPath, args);
  console.log(`${ok ? "passed" : "FAILED"}: ${what}`);
  if (!ok) failed++;
}
process.exit(failed === 0 ? 0 : 1);
