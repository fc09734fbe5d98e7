// @ts-check
// Everything about the code that needs no server; says how many checks passed.
import { binary, build, installPackages, run } from "./project.mjs";

installPackages();
build();

const checks = {
  types: ["typescript", "tsc", "--noEmit", "-p", "tsconfig.json"],
  "lint, format and import cycles": ["@biomejs/biome", "biome", "ci", "."],
  "dead code": ["knip", "knip"],
  "package exports": ["publint", "publint", "--strict"],
  "package types": [
    "@arethetypeswrong/cli",
    "attw",
    "--pack",
    "--profile",
    "esm-only",
    "--format",
    "ascii",
  ],
};

let failed = 0;
for (const [what, [name = "", command = "", ...args]] of Object.entries(checks)) {
  const ok = run(process.execPath, [binary(name, command), ...args]);
  console.log(`${ok ? "passed" : "FAILED"}: ${what}`);
  if (!ok) failed++;
}
process.exit(failed === 0 ? 0 : 1);
