// @ts-check
import { appendFileSync, readFileSync } from "node:fs";

/**
 * A measured number. Names are the same in every run, so that runs can be compared.
 *
 * @typedef {object} Figure
 * @property {string} name
 * @property {number} value
 * @property {string} unit empty for a ratio within the run, which does not depend on the machine
 * @property {"more" | "less"} better
 */

/** Parts of a warm-up, in which the compiler and the connections settle. */
const MAX_PARTS = 8;
/** Share by which two parts may differ when the rate stands still. */
const STEADY = 0.05;

/**
 * Prints a figure, and adds it to the file that `npm run bench` collects.
 *
 * @param {string} name
 * @param {number} value
 * @param {{ unit?: string, better?: Figure["better"], digits?: number }} [options]
 */
export function figure(name, value, { unit = "", better = "more", digits = 2 } = {}) {
  console.log(`${name}: ${value.toFixed(digits)}${unit && ` ${unit}`}`);
  const file = process.env.ETCDNET_BENCH_FIGURES;
  if (file === undefined) return;
  appendFileSync(file, `${JSON.stringify({ name, value, unit, better })}\n`);
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
  for (let parts = 1; parts < MAX_PARTS && Math.abs(rate - before) > STEADY * rate; parts++) {
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
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
