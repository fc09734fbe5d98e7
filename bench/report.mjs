// @ts-check
import { BARE, GO, OWN } from "./contenders.mjs";
import { sizeName } from "./measure.mjs";
import { median } from "./measured.mjs";

/**
 * @typedef {import("./measure.mjs").Load} Load
 * @typedef {import("./measure.mjs").Speed} Speed
 * @typedef {import("./measure.mjs").Weight} Weight
 * @typedef {import("./measure.mjs").Latency} Latency
 */

/**
 * @template T
 * @typedef {import("./measure.mjs").Results<T>} Results
 */

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
  const head = columns.flatMap(([{ inFlight, size = 100 }]) => {
    const what = size === 100 ? inFlight : sizeName(size);
    return [`${what}: calls/s`, `${what}: CPU µs`];
  });
  const rows = [...names].map((name) => [
    name,
    ...columns.flatMap(([, results]) => [
      cell(results, name, ({ rate }) => rate, 0),
      cell(results, name, ({ cpu }) => cpu, 1),
    ]),
  ]);
  return table([operation, ...head], rows);
}

/**
 * A table per operation, with a row per contender.
 *
 * @param {Map<string, Results<Latency>>} latencies
 * @returns {string}
 */
export function latencyTable(latencies) {
  const tables = [...latencies].map(([operation, results]) => {
    const rows = [...results].map(([name, rounds]) => {
      const of = (/** @type {keyof Latency} */ part) => median(rounds.map((each) => each[part]));
      const parts = /** @type {const} */ (["p50", "p90", "p99", "p999"]);
      const times = parts.map((part) => (of(part) / 1000).toFixed(2));
      const tail = median(rounds.map(({ p50, p99 }) => p99 / p50)).toFixed(1);
      const pause = of("pause");
      const longest = Number.isNaN(pause) ? "" : pause.toFixed(1);
      return [name, Math.round(of("rate")).toLocaleString("en"), ...times, tail, longest];
    });
    const head = [
      operation,
      "arrivals/s",
      "p50, ms",
      "p90, ms",
      "p99, ms",
      "p99.9, ms",
      "p99 ÷ p50",
      "longest GC, ms",
    ];
    return table(head, rows);
  });
  return tables.join("\n\n");
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
  return name === BARE || !results.has(BARE)
    ? text
    : `${text} (${ratio(results, name, BARE, pick)})`;
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

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
export function table([first = "", ...others], rows) {
  const lines = [[first, ...others], ["---", ...others.map(() => "---:")], ...rows];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}
