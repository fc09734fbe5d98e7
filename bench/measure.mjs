// @ts-check
import { setTimeout as sleep } from "node:timers/promises";
import { WorkerProcess } from "./worker-process.mjs";

/**
 * @typedef {import("./contenders.mjs").Contender} Contender
 * @typedef {{ operation: "get" | "set", inFlight: number }} Load
 * @typedef {{ rate: number, cpu: number }} Speed calls per second, µs of CPU per call
 * @typedef {{ rss: number, heap: number }} Weight KiB per watch
 */

/**
 * Results of one measurement: for each contender one value per round. Values of the same round
 * were measured within seconds of each other, and only those are ever compared.
 *
 * @template T
 * @typedef {Map<string, T[]>} Results
 */

/** @type {readonly Load[]} */
export const LOADS = [1, 32, 256].flatMap((inFlight) => [
  { operation: "get", inFlight },
  { operation: "set", inFlight },
]);

/** Parts of a measurement, between which the other contenders have theirs: the speed of a machine changes in seconds. */
const PARTS = 4;

/** Watches that are opened at a time: far fewer than a machine opens within a time-out. */
const BATCH = 500;

/** @param {Load} load */
export function nameOf({ operation, inFlight }) {
  return `${operation}, ${inFlight} in flight`;
}

/**
 * Measures every load with its contenders in every round, a part of it with one contender right after the other,
 * and each round beginning with another one. Each round has new processes, since the same code is
 * compiled a little better or worse in each.
 *
 * @param {string} url
 * @param {ReadonlyMap<Load, readonly Contender[]>} loads
 * @param {{ rounds: number, warmUp: number, time: number }} options times in milliseconds
 * @returns {Promise<Map<Load, Results<Speed>>>}
 */
export async function measureSpeed(url, loads, { rounds, warmUp, time }) {
  const everyone = new Set([...loads.values()].flat());
  const speeds = new Map([...loads].map(([load, those]) => [load, emptyResults(those)]));
  for (let round = 0; round < rounds; round++) {
    console.error(`calls: round ${round + 1} of ${rounds}`);
    const workers = new Map([...everyone].map((each) => [each, new WorkerProcess(each, url)]));
    for (const worker of workers.values()) await worker.ask("warmUp", { time: warmUp });
    for (const [load, those] of loads) {
      const sums = new Map(those.map(({ name }) => [name, { calls: 0, seconds: 0, cpuMicros: 0 }]));
      for (let part = 0; part < PARTS; part++) {
        for (const contender of rotated(those, round)) {
          const parameters = { ...load, time: time / PARTS };
          add(sums.get(contender.name), await workers.get(contender)?.ask("load", parameters));
        }
      }
      for (const [name, sum] of sums) speeds.get(load)?.get(name)?.push(speedOf(sum));
    }
    for (const worker of workers.values()) await worker.end();
  }
  return speeds;
}

/**
 * Measures what idle watches weigh in the client's memory, in a new process each time.
 *
 * @param {string} url
 * @param {readonly Contender[]} contenders
 * @param {{ rounds: number, watches: number }} options
 * @returns {Promise<Results<Weight>>}
 */
export async function measureWatches(url, contenders, { rounds, watches }) {
  const weights = emptyResults(contenders);
  for (let round = 0; round < rounds; round++) {
    console.error(`idle watches: round ${round + 1} of ${rounds}`);
    for (const contender of rotated(contenders, round)) {
      weights.get(contender.name)?.push(await weighWatches(url, contender, watches));
    }
  }
  return weights;
}

/** @param {string} url @param {Contender} contender @param {number} count @returns {Promise<Weight>} */
async function weighWatches(url, contender, count) {
  const worker = new WorkerProcess(contender, url);
  await worker.ask("warmUp", { time: 1000 });
  const before = await worker.ask("memory");
  for (let opened = 0; opened < count; opened += BATCH) {
    await worker.ask("watch", { from: opened, to: opened + BATCH });
    await untilWatched(url, opened + BATCH);
  }
  const after = await worker.ask("memory");
  await worker.end();
  await untilWatched(url, 0);
  const kib = (/** @type {"rss" | "heap"} */ what) => (after[what] - before[what]) / 1024 / count;
  return { rss: kib("rss"), heap: kib("heap") };
}

/** @param {string} url @param {number} count of watchers, as the server sees it */
async function untilWatched(url, count) {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const reply = await fetch(`${url}/v2/stats/store`);
    const { watchers } = /** @type {{ watchers: number }} */ (await reply.json());
    if (watchers === count) return;
    if (performance.now() > deadline) throw new Error(`${watchers} watches stand, not ${count}`);
    await sleep(20);
  }
}

/** @typedef {{ calls: number, seconds: number, cpuMicros: number }} Work */

/** @param {Work | undefined} sum @param {Work} part */
function add(sum, part) {
  if (sum === undefined) return;
  sum.calls += part.calls;
  sum.seconds += part.seconds;
  sum.cpuMicros += part.cpuMicros;
}

/** @param {Work} work @returns {Speed} */
function speedOf({ calls, seconds, cpuMicros }) {
  return { rate: calls / seconds, cpu: cpuMicros / calls };
}

/** @param {readonly Contender[]} contenders @returns {Results<any>} */
function emptyResults(contenders) {
  return new Map(contenders.map(({ name }) => [name, []]));
}

/** @template T @param {readonly T[]} items @param {number} by @returns {T[]} */
function rotated(items, by) {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
