// @ts-check
/**
 * Runs all benchmarks, and compares their figures with the stored ones; docs/performance.md says how to read them.
 *
 *     npm run bench -- [--only REGEXP] [--quick] [--scale] [--json FILE] [--write]
 *
 * `--only` chooses parts by name. `--scale` adds the part that is called so, which takes about eight minutes. `--write` stores the figures for the
 * next comparison, and writes charts and tables into docs/. It fails when a benchmark fails or has no figure, not when a
 * figure is worse. `--check` only finds out whether every benchmark works, in a few seconds.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { buildIfStale, installPackages, root, run } from "../scripts/project.mjs";
import { chartsOf, pagesOf, writeFiles } from "./pages.mjs";
import { TARGETS, targetsTable } from "./targets.mjs";

/** @typedef {import("./measured.mjs").Figure} Figure */
/** @typedef {import("./measured.mjs").Section} Section */

/** A figure that is worse by more than this share is marked. */
const TOLERANCE = 0.1;
const STORED = join(root, "bench", "figures.json");

/** Parts, and their scripts. */
const PARTS = {
  client: "run.mjs",
  v3: "v3.mjs",
  gateway: "gateway.mjs",
  embedded: "embedded.mjs",
  migrate: "migrate.mjs",
  start: "start.mjs",
  scale: "scale.mjs",
};

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    quick: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    scale: { type: "boolean", default: false },
    json: { type: "string" },
    write: { type: "boolean", default: false },
  },
});

const only = new RegExp(options.only);
const mode = options.check ? "check" : options.quick ? "quick" : "long";
/** It takes minutes, so it must be asked for. @param {string} name */
const isWanted = (name) => name !== "scale" || options.scale || mode === "check";
const chosen = Object.entries(PARTS).filter(([name]) => only.test(name) && isWanted(name));
if (chosen.length === 0) throw new Error(`--only: no part of ${Object.keys(PARTS).join(", ")}`);
const missing = missingServers();
installPackages();
buildIfStale();
const failed = [];
/** @type {Figure[]} */
const figures = [];
/** @type {Section[]} */
const sections = [];
const begun = performance.now();
for (const [name, script] of missing.length > 0 ? [] : chosen) {
  console.error(`\n${name}: ${script}`);
  const measured = measure(script);
  const hasFigures = measured.figures.length > 0;
  const isValid = measured.figures.every(({ value }) => Number.isFinite(value));
  if (!measured.succeeded || !hasFigures || !isValid) failed.push(name);
  figures.push(...measured.figures);
  sections.push(...measured.sections);
}
const stored = readStored();
if (mode !== "check") {
  console.log(`\n${comparison(figures, stored)}\n\n${targetsTable(figures)}`);
  const minutes = (performance.now() - begun) / 60_000;
  console.error(`${figures.length} figures in ${minutes.toFixed(1)} minutes`);
}
if (options.json !== undefined) writeFileSync(options.json, json(figures));
if (figures.length > 0) publishAll();
if (failed.length > 0) console.error(`failed: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;

/** Stores the figures, and writes charts and tables: all but stores and files in a check. */
function publishAll() {
  const command = ["npm run bench --", ...process.argv.slice(2)].join(" ").replace(/ --$/, "");
  const where = whereAndWhen();
  const source = `\`${command}\` on ${where}.`;
  const all = merged(
    stored,
    figures.map((each) => ({ ...each, source })),
  );
  const targets = all.filter(({ name }) => TARGETS.some(({ figure }) => figure === name));
  const sources = [...new Set(targets.map((each) => each.source ?? ""))].filter(Boolean).join(" ");
  const charts = chartsOf(figures, where);
  const pages = pagesOf([
    ...sections.map(({ section, markdown }) => [section, `${source}\n\n${markdown}`]),
    ["targets", `${sources}\n\n${targetsTable(all)}`],
  ]);
  if (!options.write) return;
  writeFileSync(STORED, json(all));
  writeFiles(charts);
  writeFiles(pages);
  console.error(`written: ${charts.size} charts, ${sections.length + 1} tables`);
}

/** @returns {string} */
function whereAndWhen() {
  const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores`;
  const servers = /** @type {const} */ (["3.4", "3.7"]).map((release) => {
    const found = ensureEtcd(release);
    const { stdout } = spawnSync("missing" in found ? "false" : found.path, ["--version"]);
    return /etcd Version: (\S+)/.exec(String(stdout))?.[1];
  });
  const go = /go(\d\S+)/.exec(String(spawnSync("go", ["version"]).stdout))?.[1] ?? "none";
  const software = `Node ${process.versions.node}, etcd ${servers.join(" and ")}, Go ${go}`;
  return `${new Date().toISOString().slice(0, 10)}: ${machine}, ${software}`;
}

/** Where nobody can build etcd, a check has nothing to run. With CI=true, that is a failure. @returns {string[]} */
function missingServers() {
  const reasons = /** @type {const} */ (["3.4", "3.7"]).flatMap((release) => {
    const found = ensureEtcd(release);
    return "missing" in found ? [`etcd ${release}: ${found.missing}`] : [];
  });
  if (reasons.length === 0) return [];
  if (mode !== "check" || process.env.CI === "true") throw new Error(reasons.join("; "));
  console.warn(`benchmarks are skipped: ${reasons.join("; ")}`);
  return reasons;
}

/** @param {string} script */
function measure(script) {
  const folder = mkdtempSync(join(tmpdir(), "etcdnet-bench-"));
  const file = join(folder, "figures");
  try {
    const env = { ...process.env, BENCH_FIGURES: file, BENCH_MODE: mode };
    const succeeded = run(process.execPath, ["--expose-gc", join(root, "bench", script)], env);
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    /** @type {(Figure | Section)[]} */
    const found = lines.map((line) => JSON.parse(line));
    return {
      succeeded,
      figures: found.filter((each) => "value" in each),
      sections: found.filter((each) => "section" in each),
    };
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
