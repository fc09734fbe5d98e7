// @ts-check
/**
 * Runs all benchmarks, and compares their figures with the stored ones; docs/performance.md says how to read them.
 *
 *     npm run bench -- [--only REGEXP] [--quick] [--json FILE] [--write]
 *
 * `--only` chooses parts: client, v3, gateway, embedded, migrate. `--write` stores the figures for the next comparison. It fails
 * when a benchmark fails, not when a figure is worse.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build, installPackages, root, run } from "../scripts/project.mjs";

/** @typedef {import("./measured.mjs").Figure} Figure */

/** A figure that is worse by more than this share is marked. */
const TOLERANCE = 0.1;
const STORED = join(root, "bench", "figures.json");

/** Scripts with their arguments in the long form and in the quick one. */
const PARTS = {
  client: { script: "run.mjs", long: [], quick: ["--quick"] },
  v3: { script: "v3.mjs", long: ["7"], quick: ["1"] },
  gateway: { script: "gateway.mjs", long: ["5"], quick: ["1"] },
  embedded: { script: "embedded.mjs", long: ["3"], quick: ["1"] },
  migrate: { script: "migrate.mjs", long: ["20000", "200000"], quick: ["2000"] },
};

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    write: { type: "boolean", default: false },
  },
});

const only = new RegExp(options.only);
const chosen = Object.entries(PARTS).filter(([name]) => only.test(name));
if (chosen.length === 0) throw new Error(`--only: no part of ${Object.keys(PARTS).join(", ")}`);
installPackages();
build();
const failed = [];
/** @type {Figure[]} */
const figures = [];
for (const [name, { script, long, quick }] of chosen) {
  console.error(`\n${name}: ${script}`);
  const measured = measure(script, options.quick ? quick : long);
  if (!measured.succeeded) failed.push(name);
  figures.push(...measured.figures);
}
const stored = readStored();
console.log(`\n${comparison(figures, stored)}`);
if (options.json !== undefined) writeFileSync(options.json, json(figures));
if (options.write) writeFileSync(STORED, json(merged(stored, figures)));
if (failed.length > 0) console.error(`failed: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;

/** @param {string} script @param {readonly string[]} args */
function measure(script, args) {
  const folder = mkdtempSync(join(tmpdir(), "etcdnet-bench-"));
  const file = join(folder, "figures");
  try {
    const env = { ...process.env, ETCDNET_BENCH_FIGURES: file };
    const command = ["--expose-gc", join(root, "bench", script), ...args];
    const succeeded = run(process.execPath, command, env);
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    /** @type {Figure[]} */
    const found = lines.map((line) => JSON.parse(line));
    return { succeeded, figures: found };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns {Figure[]} */
function readStored() {
  return existsSync(STORED) ? JSON.parse(readFileSync(STORED, "utf8")) : [];
}

/** @param {readonly Figure[]} before @param {readonly Figure[]} now */
function merged(before, now) {
  const names = new Set(now.map(({ name }) => name));
  return [...before.filter(({ name }) => !names.has(name)), ...now];
}

/** @param {readonly Figure[]} now @param {readonly Figure[]} before */
function comparison(now, before) {
  const rows = now.map(({ name, value, unit, better }) => {
    const old = before.find((each) => each.name === name)?.value;
    const change = old === undefined ? undefined : better === "more" ? value / old : old / value;
    const isWorse = change !== undefined && change < 1 - TOLERANCE;
    return `| ${name} | ${shown(value)} ${unit} | ${old === undefined ? "–" : shown(old)} | ${isWorse ? "**worse**" : ""} |`;
  });
  return ["| figure | now | stored | |", "| --- | ---: | ---: | --- |", ...rows].join("\n");
}

/** @param {number} value */
function shown(value) {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
}

/** @param {readonly Figure[]} all */
function json(all) {
  return `${JSON.stringify(all, undefined, 2)}\n`;
}
