// @ts-check
/**
 * Compares this client with others on one etcd; docs/benchmarks.md says what and how.
 *
 *     node bench/run.mjs [--quick] [--rounds N] [--only REGEXP] [--against DIST] [--write]
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";
import { build, installPackages, root } from "../scripts/project.mjs";
import { BARE, contenders, OWN, otherBuild } from "./contenders.mjs";
import { LOADS, measureSpeed, measureWatches, nameOf } from "./measure.mjs";
import { figure } from "./measured.mjs";
import { ratio, runLine, speedTables, targetTable, watchTable } from "./report.mjs";

/** @typedef {import("./contenders.mjs").Contender} Contender */

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string", default: "" },
    against: { type: "string" },
    write: { type: "boolean", default: false },
  },
});

const PAGE = join(root, "docs", "benchmarks.md");
const [BEGIN, END] = ["<!-- results: begin -->", "<!-- results: end -->"];
const WATCHES = "idle watches";

const only = new RegExp(options.only);
const rounds = Number(options.rounds ?? (options.quick ? 3 : 9));
const speed = {
  rounds,
  ...(options.quick ? { warmUp: 600, time: 300 } : { warmUp: 1600, time: 700 }),
};
const weight = { rounds: Math.min(rounds, 3), watches: 10_000 };

installPackages();
build();
const installed = [...contenders, ...otherBuilds()].filter(isInstalled);
const report = await onEtcd(measure);
console.log(report);
if (options.write) writeToPage(report);

/**
 * @template T
 * @param {(url: string) => Promise<T>} use
 */
async function onEtcd(use) {
  const etcd = ensureEtcd("3.4");
  if ("missing" in etcd) throw new Error(`etcd 3.4: ${etcd.missing}`);
  const server = await startEtcdProcess({ binary: etcd.path, v2: true });
  try {
    return await use(server.url);
  } finally {
    await server.remove();
  }
}

/** @param {string} url @returns {Promise<string>} Markdown */
async function measure(url) {
  const sections = [await runLine(url, ["node bench/run.mjs", ...process.argv.slice(2)].join(" "))];
  const loads = new Map(LOADS.map((load) => [load, chosenFor(nameOf(load), installed)]));
  for (const [load, those] of loads) if (those.length === 0) loads.delete(load);
  if (loads.size > 0) {
    const speeds = await measureSpeed(url, loads, speed);
    sections.push(speedTables(speeds), targetTable(speeds));
    for (const [load, results] of speeds) {
      const cpu = ratio(results, OWN, BARE, (speed) => speed.cpu);
      if (cpu === "–") continue;
      figure(`client: ${nameOf(load)}, CPU ÷ ${BARE}`, Number(cpu), { better: "less" });
    }
  }
  const watchers = chosenFor(
    WATCHES,
    installed.filter(({ watches }) => watches),
  );
  if (watchers.length > 0) sections.push(watchTable(await measureWatches(url, watchers, weight)));
  return sections.join("\n\n");
}

/**
 * Whom `--only` chooses for a measurement: the yardstick is always among them.
 *
 * @param {string} measurement
 * @param {readonly Contender[]} candidates
 */
function chosenFor(measurement, candidates) {
  const chosen = candidates.filter(({ name }) => only.test(`${measurement}: ${name}`));
  if (chosen.length === 0) return chosen;
  return candidates.filter((each) => each.name === BARE || chosen.includes(each));
}

function otherBuilds() {
  return options.against === undefined ? [] : [otherBuild(resolve(options.against))];
}

/** @param {Contender} contender */
function isInstalled({ name, install }) {
  try {
    install?.();
    return true;
  } catch (error) {
    console.error(`${name} is left out: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

/** @param {string} results */
function writeToPage(results) {
  const page = readFileSync(PAGE, "utf8");
  const [before, after] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)];
  writeFileSync(PAGE, `${page.slice(0, before)}\n\n${results}\n\n${page.slice(after)}`);
}
