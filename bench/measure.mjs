// @ts-check
import { setTimeout as sleep } from "node:timers/promises";
import { median, mode, warmUp } from "./measured.mjs";
import { WorkerProcess } from "./worker-process.mjs";

/**
 * @typedef {import("./contenders.mjs").Contender} Contender
 * @typedef {(contender: Contender) => string} UrlOf
 * @typedef {{ operation: "get" | "set", inFlight: number, size?: number }} Load the size is that of a value, in bytes
 * @typedef {{ rate: number, cpu: number }} Speed calls per second, µs of CPU per call
 * @typedef {{ rss: number, heap: number }} Weight KiB per watch
 * @typedef {{ rate: number, p50: number, p90: number, p99: number, p999: number, pause: number }} Latency
 *   arrivals per second, then µs; the longest garbage collection of a client in Node, ms
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

const SIZE = 100;
const KEYS = mode() === "check" ? 100 : 1000;
/** Bytes of all values together: fewer keys of large values, since etcd keeps the former ones, too. */
const MOST_BYTES = 64_000_000;
const WARM_UP = { inFlight: 32, time: mode() === "check" ? 10 : 150 };

/** Parts of a measurement, between which the other contenders have theirs: the speed of a machine changes in seconds. */
const PARTS = 4;

/** Watches that are opened at a time: far fewer than a machine opens within a time-out. */
const BATCH = 500;

/** Share of the arrivals that end in time, when a client keeps up with them. */
const KEEPS_UP = 0.9;

/** @param {Load} load */
export function nameOf({ operation, inFlight, size = SIZE }) {
  const what = size === SIZE ? operation : `${operation} of ${sizeName(size)}`;
  return `${what}, ${inFlight} in flight`;
}

/** @param {number} bytes */
export function sizeName(bytes) {
  if (bytes >= 1e6) return `${bytes / 1e6} MB`;
  return bytes >= 1000 ? `${bytes / 1000} kB` : `${bytes} B`;
}

/**
 * Measures every load with its contenders in every round, a part of it with one contender right after the other,
 * and each round beginning with another one. Each round has new processes, since the same code is
 * compiled a little better or worse in each.
 *
 * @param {UrlOf} urlOf
 * @param {ReadonlyMap<Load, readonly Contender[]>} loads
 * @param {{ rounds: number, time: number }} options time in milliseconds
 * @returns {Promise<Map<Load, Results<Speed>>>}
 */
export async function measureSpeed(urlOf, loads, { rounds, time }) {
  const everyone = new Set([...loads.values()].flat());
  const speeds = new Map([...loads].map(([load, those]) => [load, emptyResults(those)]));
  for (let round = 0; round < rounds; round++) {
    console.error(`calls: round ${round + 1} of ${rounds}`);
    const workers = await startWorkers(everyone, urlOf, new Set([...loads.keys()].map(sizeOf)));
    for (const [load, those] of loads) {
      const sums = new Map(those.map(({ name }) => [name, { calls: 0, seconds: 0, cpuMicros: 0 }]));
      for (let part = 0; part < PARTS; part++) {
        for (const contender of rotated(those, round)) {
          const parameters = { ...parametersOf(load), time: time / PARTS };
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
 * Measures latencies at a fixed rate of arrivals, which does not wait for responses: half of the highest rate with which
 * the contender has made as many calls as it could.
 *
 * @param {UrlOf} urlOf
 * @param {readonly Contender[]} contenders
 * @param {Map<Load, Results<Speed>>} speeds
 * @param {{ rounds: number, time: number }} options time in milliseconds
 * @returns {Promise<Map<Load["operation"], Results<Latency>>>}
 */
export async function measureLatency(urlOf, contenders, speeds, { rounds, time }) {
  const operations = /** @type {const} */ (["get", "set"]);
  const latencies = new Map(operations.map((operation) => [operation, emptyResults(contenders)]));
  for (let round = 0; round < rounds; round++) {
    console.error(`arrivals at a fixed rate: round ${round + 1} of ${rounds}`);
    const workers = await startWorkers(contenders, urlOf, new Set([SIZE]));
    for (const operation of operations) {
      for (const contender of rotated(contenders, round)) {
        const worker = workers.get(contender);
        if (worker === undefined) continue;
        const ask = (/** @type {number} */ rate, /** @type {number} */ time) =>
          worker.ask("arrivals", { ...parametersOf({ operation, inFlight: 256 }), rate, time });
        const half = highestRate(speeds, operation, contender) / 2;
        const first = await ask(half, time / 2);
        const reached = first.micros.length / (first.seconds ?? 0);
        // Calls that wait for a response share more than those that arrive one by one.
        const rate = reached < KEEPS_UP * half ? reached / 2 : half;
        const { micros, pause = Number.NaN } = await ask(rate, time);
        const at = (/** @type {number} */ share) => micros[Math.floor(micros.length * share)];
        const parts = { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999) };
        const latency = { rate, ...parts, pause };
        latencies.get(operation)?.get(contender.name)?.push(latency);
      }
    }
    for (const worker of workers.values()) await worker.end();
  }
  return latencies;
}

/** Of the medians of all loads. @param {Map<Load, Results<Speed>>} speeds @param {string} operation @param {Contender} contender */
function highestRate(speeds, operation, { name }) {
  const results = [...speeds].filter(([load]) => load.operation === operation);
  const rates = results.map(([, each]) => median((each.get(name) ?? []).map(({ rate }) => rate)));
  return Math.max(...rates.filter(Number.isFinite));
}

/**
 * Starts the processes, writes the keys that will be read, and makes calls until the rate stands still.
 *
 * @param {Iterable<Contender>} contenders
 * @param {UrlOf} urlOf
 * @param {ReadonlySet<number>} sizes of values
 */
async function startWorkers(contenders, urlOf, sizes) {
  /** @type {Map<Contender, WorkerProcess>} */
  const workers = new Map();
  const filled = new Set();
  for (const contender of contenders) {
    const [url, { api }] = [urlOf(contender), contender];
    const worker = new WorkerProcess(contender, url);
    workers.set(contender, worker);
    for (const size of filled.has(`${api} ${url}`) ? [] : sizes) {
      await worker.ask("fill", parametersOf({ operation: "set", inFlight: 1, size }));
    }
    filled.add(`${api} ${url}`);
    await warmUp(contender.name, async () => {
      const operations = /** @type {const} */ (["set", "get"]);
      let rate = 0;
      for (const operation of operations) {
        const load = parametersOf({ operation, inFlight: WARM_UP.inFlight });
        const { calls, seconds } = await worker.ask("load", { ...load, time: WARM_UP.time });
        rate += calls / seconds;
      }
      return rate;
    });
  }
  return workers;
}

/** @param {Load} load */
function sizeOf({ size = SIZE }) {
  return size;
}

/** @param {Load} load */
function parametersOf(load) {
  const size = sizeOf(load);
  return { ...load, size, keys: Math.min(KEYS, MOST_BYTES / size) };
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
  const load = parametersOf({ operation: "set", inFlight: WARM_UP.inFlight });
  await worker.ask("load", { ...load, time: 1000 });
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
