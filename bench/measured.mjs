// @ts-check
import { appendFileSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/**
 * A measured number. Names are the same in every run, so that runs can be compared.
 *
 * @typedef {object} Figure
 * @property {string} name
 * @property {number} value
 * @property {string} unit empty for a ratio within the run, which does not depend on the machine
 * @property {"more" | "less"} better
 * @property {Point} [point] where a chart shows it
 * @property {string} [source] of a stored one: where, when and by which command it was measured
 */

/** @typedef {{ chart: string, series: string, x: number | string }} Point */

/** A table for a page. @typedef {{ section: string, markdown: string }} Section */

/** How much is measured: all, in a few minutes, or only whether every benchmark works. @typedef {"long" | "quick" | "check"} Mode */

/** Parts of a warm-up, in which the compiler and the connections settle. */
const MAX_PARTS = { long: 8, quick: 4, check: 1 };
/** Share by which two parts may differ when the rate stands still. */
const STEADY = 0.05;

/** @returns {Mode} */
export function mode() {
  return /** @type {Mode} */ (process.env.BENCH_MODE ?? "long");
}

/** Whether a module is the program that runs. @param {string} url of the module */
export function isMain(url) {
  return url === pathToFileURL(process.argv[1] ?? "").href;
}

/**
 * Prints a figure, and adds it to the file that `npm run bench` collects.
 *
 * @param {string} name
 * @param {number} value
 * @param {{ unit?: string, better?: Figure["better"], digits?: number, point?: Point }} [options]
 */
export function figure(name, value, { unit = "", better = "more", digits = 2, point } = {}) {
  console.log(`${name}: ${value.toFixed(digits)}${unit && ` ${unit}`}`);
  record({ name, value, unit, better, ...(point && { point }) });
}

/** Prints a table, which `npm run bench -- --write` puts into the page that has this section. @param {string} section @param {string} markdown */
export function publish(section, markdown) {
  console.log(`\n${markdown}\n`);
  record({ section, markdown });
}

/** @param {Figure | Section} what */
function record(what) {
  const file = process.env.BENCH_FIGURES;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(what)}\n`);
}

/**
 * Repeats a part until its rate stands still, and says how long that took.
 *
 * @param {string} name
 * @param {() => Promise<number>} part measures calls per second
 */
export async function warmUp(name, part) {
  const begun = performance.now();
  let [before, rate] = [0, await part()];
  for (
    let parts = 1;
    parts < MAX_PARTS[mode()] && Math.abs(rate - before) > STEADY * rate;
    parts++
  ) {
    [before, rate] = [rate, await part()];
  }
  const seconds = (performance.now() - begun) / 1000;
  const isSteady = Math.abs(rate - before) <= STEADY * rate;
  const outcome = isSteady ? "stood still after" : "still changed after";
  console.error(`${name}: the rate ${outcome} ${seconds.toFixed(1)} s`);
}

/** Time in user and system mode since the start, in µs. Linux counts in units of 10 ms. @param {number} pid */
export function cpuTime(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program, in parentheses, may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low = Number.NaN, high = low] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return (low + high) / 2;
}
