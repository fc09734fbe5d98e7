// @ts-check
// How long the import of each entry takes, bundled as in the package and with a file for each source:
// `node bench/import.mjs [RUNS]`. Prints medians.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { binary, buildIfStale, must, root } from "../scripts/project.mjs";

const runs = Number(process.argv[2] ?? 21);
// Inside the clone, so that it finds undici.
const unbundled = join(root, "build/unbundled");

buildIfStale();
rmSync(unbundled, { recursive: true, force: true });
mkdirSync(unbundled, { recursive: true });
const only = [
  "--emitDeclarationOnly",
  "false",
  "--declaration",
  "false",
  "--declarationMap",
  "false",
];
must(process.execPath, [
  binary("typescript", "tsc"),
  "-p",
  "tsconfig.build.json",
  "--outDir",
  unbundled,
  ...only,
]);

/** @param {string} file @returns {number} milliseconds of a new process */
function importTime(file) {
  const code = `const begun = performance.now();
    await import(${JSON.stringify(file)});
    console.log(performance.now() - begun);`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], {
    encoding: "utf8",
  });
  return Number(stdout);
}

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

for (const entry of ["index.js", "server/index.js", "testing/index.js"]) {
  /** @type {number[]} */
  const before = [];
  /** @type {number[]} */
  const after = [];
  // In turns, so that a busy machine slows both.
  for (let run = 0; run < runs; run++) {
    before.push(importTime(join(unbundled, entry)));
    after.push(importTime(join(root, "dist", entry)));
  }
  const ratio = (median(after) / median(before)).toFixed(2);
  console.log(
    `${entry}: ${median(before).toFixed(0)} ms in files, ${median(after).toFixed(0)} ms bundled, ratio ${ratio}`,
  );
}
rmSync(unbundled, { recursive: true });
