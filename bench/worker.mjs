// @ts-check
/**
 * Measures one client in a process of its own: `node worker.mjs CLIENT URL`. Takes a command in
 * JSON per line and answers each with a line of JSON. The program in go/ speaks the same.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { eachTick } from "./pacer.mjs";

/**
 * What a client is measured by.
 *
 * @typedef {object} Client
 * @property {(key: string) => Promise<string | null>} get
 * @property {(key: string, value: string) => Promise<unknown>} set
 * @property {(key: string) => Promise<unknown>} [watch] for one event
 * @property {() => Promise<unknown>} close
 */

/**
 * @callback Connect
 * @param {string} url
 * @param {number} inFlight how many calls, or watches, there will be at a time
 * @returns {Client}
 */

/**
 * What a command may have; times in milliseconds, the size of a value in bytes.
 *
 * @typedef {object} Parameters
 * @property {"get" | "set"} operation
 * @property {number} inFlight
 * @property {number} size
 * @property {number} keys
 * @property {number} time
 * @property {number} rate arrivals per second
 */

const MOST_WATCHES = 10_000;
/** By their size. @type {Map<number, string>} */
const values = new Map();

const clients = {
  etcdnet: () => import("./clients/etcdnet.mjs"),
  "etcdnet-v3": () => import("./clients/etcdnet-v3.mjs"),
  undici: () => import("./clients/undici.mjs"),
  "node-etcd": () => import("./clients/node-etcd.mjs"),
  etcd3: () => import("./clients/etcd3.mjs"),
};

const [name, url = ""] = process.argv.slice(2);
/** @type {{ connect: Connect }} */
const { connect } = await clients[/** @type {keyof typeof clients} */ (name)]();

const watcher = connect(url, MOST_WATCHES);
/** The client of the last load, which the next part of it uses, too. @type {{ inFlight: number, client: Client } | undefined} */
let loaded;
const commands = { fill, load, arrivals, watch, memory };
for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...parameters } = JSON.parse(line);
  const answer = await commands[/** @type {keyof typeof commands} */ (command)](parameters);
  console.log(JSON.stringify(answer));
}
process.exit();

/** Writes every key that will be read. @param {Parameters} parameters */
async function fill(parameters) {
  const client = await clientFor(parameters);
  const value = textOf(parameters.size);
  for (let n = 0; n < parameters.keys; n++) await client.set(keyOf(parameters, n), value);
  return {};
}

/** Keeps calls under way for a time, on connections that are open when it begins. @param {Parameters} parameters */
async function load(parameters) {
  const client = await clientFor(parameters);
  await repeat(client, parameters, parameters.time / 4);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const calls = await repeat(client, parameters, parameters.time);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { calls, seconds, cpuMicros: user + system };
}

/**
 * Begins calls at a fixed rate, however long the former ones take. A latency counts from the time at which the call was
 * to begin, so a delay of the system is a delay of every call that was to begin meanwhile.
 *
 * @param {Parameters} parameters
 * @returns {Promise<{ micros: number[], seconds: number, pause: number }>} sorted; until the last has ended; the longest
 *   garbage collection in ms
 */
async function arrivals(parameters) {
  const client = await clientFor(parameters);
  const total = Math.floor((parameters.rate * parameters.time) / 1000);
  // Not a promise for each call: a long pause of the garbage collector would count as one of the system.
  const micros = new Float64Array(total);
  let [started, ended] = [0, 0];
  const begun = performance.now();
  /** @type {Promise<void>} */
  const all = new Promise((resolve, reject) => {
    const start = () => {
      const intended = begun + (started / parameters.rate) * 1000;
      callOn(client, parameters, started++).then(() => {
        micros[ended++] = Math.round((performance.now() - intended) * 1000);
        if (ended === total) resolve();
      }, reject);
    };
    void (async () => {
      for await (const _ of eachTick()) {
        const due = Math.min(total, ((performance.now() - begun) / 1000) * parameters.rate);
        while (started < due) start();
        if (started === total) break;
      }
    })();
  });
  let pause = 0;
  const collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pause = Math.max(pause, duration);
  });
  collections.observe({ entryTypes: ["gc"] });
  await all;
  collections.disconnect();
  const seconds = (performance.now() - begun) / 1000;
  return { micros: [...micros.sort()], seconds, pause };
}

/** @param {{ inFlight: number }} parameters */
async function clientFor({ inFlight }) {
  if (loaded?.inFlight !== inFlight) {
    await loaded?.client.close();
    loaded = { inFlight, client: connect(url, inFlight) };
  }
  return loaded.client;
}

/**
 * @param {Client} client
 * @param {Parameters} parameters
 * @param {number} time milliseconds
 * @returns {Promise<number>} how many calls were made
 */
async function repeat(client, parameters, time) {
  let [running, calls] = [true, 0];
  const lines = Array.from({ length: parameters.inFlight }, async () => {
    while (running) await callOn(client, parameters, calls++);
  });
  await sleep(time);
  running = false;
  await Promise.all(lines);
  return calls;
}

/** @param {Client} client @param {Parameters} parameters @param {number} index */
async function callOn(client, parameters, index) {
  const [key, value] = [keyOf(parameters, index), textOf(parameters.size)];
  if (parameters.operation === "set") await client.set(key, value);
  else if ((await client.get(key)) !== value) throw new Error(`${name}: ${key} has another value`);
}

/**
 * Opens watches that no event comes for, one per key.
 *
 * @param {{ from: number, to: number }} parameters
 */
function watch({ from, to }) {
  for (let index = from; index < to; index++) watcher.watch?.(`/idle/${index}`).catch(fail);
  return {};
}

/** Bytes in use after garbage collection. */
async function memory() {
  for (let round = 0; round < 5; round++) {
    globalThis.gc?.();
    await sleep(200);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

/** @param {{ keys: number, size: number }} parameters @param {number} index */
function keyOf({ keys, size }, index) {
  return `/bench-${size}/${index % keys}`;
}

/** @param {number} size */
function textOf(size) {
  const value = values.get(size) ?? "0123456789".repeat(size / 10);
  values.set(size, value);
  return value;
}

/** @param {unknown} error */
function fail(error) {
  console.error(error);
  process.exit(1);
}
