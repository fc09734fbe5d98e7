// @ts-check
import { cpus } from "node:os";
import { BARE, GO, OWN } from "./contenders.mjs";

/**
 * @typedef {import("./measure.mjs").Load} Load
 * @typedef {import("./measure.mjs").Speed} Speed
 * @typedef {import("./measure.mjs").Weight} Weight
 */

/**
 * @template T
 * @typedef {import("./measure.mjs").Results<T>} Results
 */

/** @param {string} url of the server @param {string} command @returns {Promise<string>} where and when */
export async function runLine(url, command) {
  const reply = await fetch(`${url}/version`);
  const version = /** @type {{ etcdserver: string }} */ (await reply.json());
  const [first] = cpus();
  const machine = `${first?.model.trim()}, ${cpus().length} cores`;
  const software = `Node ${process.versions.node}, etcd ${version.etcdserver}`;
  const date = new Date().toISOString().slice(0, 10);
  return `\`${command}\` on ${date}: ${machine}, ${software}.`;
}

/**
 * A table per operation, with a row per contender.
 *
 * @param {Map<Load, Results<Speed>>} speeds
 * @returns {string}
 */
export function speedTables(speeds) {
  const operations = [...new Set([...speeds.keys()].map(({ operation }) => operation))];
  return operations.map((operation) => speedTable(operation, speeds)).join("\n\n");
}

/** @param {string} operation @param {Map<Load, Results<Speed>>} speeds */
function speedTable(operation, speeds) {
  const columns = [...speeds].filter(([load]) => load.operation === operation);
  const names = new Set(columns.flatMap(([, results]) => [...results.keys()]));
  const head = columns.flatMap(([{ inFlight }]) => [`${inFlight}: calls/s`, `${inFlight}: CPU µs`]);
  const rows = [...names].map((name) => [
    name,
    ...columns.flatMap(([, results]) => [
      cell(results, name, ({ rate }) => rate, 0),
      cell(results, name, ({ cpu }) => cpu, 1),
    ]),
  ]);
  return table([operation, ...head], rows);
}

/** @param {Results<Weight>} weights @returns {string} */
export function watchTable(weights) {
  const rows = [...weights.keys()].map((name) => [
    name,
    cell(weights, name, ({ rss }) => rss, 1),
    cell(weights, name, ({ heap }) => heap, 1),
  ]);
  return table(["idle watches", "KiB RSS each", "KiB heap and external each"], rows);
}

/** @param {Map<Load, Results<Speed>>} speeds @returns {string} */
export function targetTable(speeds) {
  const rows = [...speeds].map(([{ operation, inFlight }, results]) => [
    `${operation}, ${inFlight} in flight`,
    ratio(results, OWN, BARE, ({ cpu }) => cpu),
    ratio(results, OWN, GO, ({ rate }) => rate),
  ]);
  return table([OWN, `CPU ÷ ${BARE}`, `calls/s ÷ ${GO}`], rows);
}

/**
 * The median, and in parentheses the ratio to the yardstick.
 *
 * @template T
 * @param {Results<T>} results
 * @param {string} name
 * @param {(value: T) => number} pick
 * @param {number} digits
 */
function cell(results, name, pick, digits) {
  const values = results.get(name);
  if (values === undefined) return "–";
  const text = median(values.map(pick)).toFixed(digits);
  return name === BARE ? text : `${text} (${ratio(results, name, BARE, pick)})`;
}

/**
 * The median of the rounds' own ratios.
 *
 * @template T
 * @param {Results<T>} results
 * @param {string} name
 * @param {string} base
 * @param {(value: T) => number} pick
 */
export function ratio(results, name, base, pick) {
  const bases = results.get(base)?.map(pick);
  const values = results.get(name)?.map(pick);
  if (bases === undefined || values === undefined) return "–";
  return median(values.map((value, round) => value / (bases[round] ?? Number.NaN))).toFixed(2);
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low = 0, high = 0] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return (low + high) / 2;
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function table([first = "", ...others], rows) {
  const lines = [[first, ...others], ["---", ...others.map(() => "---:")], ...rows];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}
