// @ts-check
/**
 * Compares this client with others on one etcd; docs/benchmarks.md says what and how.
 *
 *     node bench/run.mjs [--quick] [--rounds N] [--only REGEXP] [--against DIST]
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";
import { buildIfStale, installPackages } from "../scripts/project.mjs";
import { BARE, contenders, installed, OWN, otherBuild } from "./contenders.mjs";
import { LOADS, measureSpeed, measureWatches, nameOf } from "./measure.mjs";
import { figure, mode, publish } from "./measured.mjs";
import { ratio, speedTables, targetTable, watchTable } from "./report.mjs";

/** @typedef {import("./contenders.mjs").Contender} Contender */

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string", default: "" },
    against: { type: "string" },
  },
});

const WATCHES = "idle watches";

const only = new RegExp(options.only);
const plan = {
  long: { rounds: 3, time: 700, watches: 10_000 },
  quick: { rounds: 1, time: 300, watches: 2_000 },
  check: { rounds: 1, time: 20, watches: 500 },
}[options.quick ? "quick" : mode()];
const rounds = Number(options.rounds ?? plan.rounds);
const speed = { rounds, time: plan.time };
const weight = { rounds: Math.min(rounds, 3), watches: plan.watches };

installPackages();
buildIfStale();
const everyone = [...contenders, ...otherBuilds()];
const candidates = installed(mode() === "check" ? everyone.slice(0, 2) : everyone);
publish("client", await onEtcd(measure));

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
  const sections = [];
  const some = mode() === "check" ? LOADS.slice(0, 2) : LOADS;
  const loads = new Map(some.map((load) => [load, chosenFor(nameOf(load), candidates)]));
  for (const [load, those] of loads) if (those.length === 0) loads.delete(load);
  if (loads.size > 0) {
    const speeds = await measureSpeed(() => url, loads, speed);
    sections.push(speedTables(speeds), targetTable(speeds));
    for (const [load, results] of speeds) {
      const cpu = ratio(results, OWN, BARE, (speed) => speed.cpu);
      if (cpu === "–") continue;
      figure(`client: ${nameOf(load)}, CPU ÷ ${BARE}`, Number(cpu), { better: "less" });
    }
  }
  const watchers = chosenFor(
    WATCHES,
    candidates.filter(({ watches }) => watches),
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
