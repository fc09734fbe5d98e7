// @ts-check
/**
 * Measures one client in a process of its own: `node worker.mjs CLIENT URL`. Takes a command in
 * JSON per line and answers each with a line of JSON. The program in go/ speaks the same.
 */
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

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
 * @callback Call
 * @param {Client} client
 * @param {string} key
 * @returns {Promise<void>}
 */

const KEYS = 1000;
const VALUE = "0123456789".repeat(10);
const MOST_WATCHES = 10_000;

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
const commands = { warmUp, load, watch, memory };
for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...parameters } = JSON.parse(line);
  const answer = await commands[/** @type {keyof typeof commands} */ (command)](parameters);
  console.log(JSON.stringify(answer));
}
process.exit();

/**
 * Writes every key that will be read, then goes on until the code is compiled.
 *
 * @param {{ time: number }} parameters milliseconds
 */
async function warmUp({ time }) {
  const client = connect(url, 32);
  for (let index = 0; index < KEYS; index++) await set(client, keyOf(index));
  await repeat(client, set, 32, time / 2);
  await repeat(client, get, 32, time / 2);
  await client.close();
  return {};
}

/**
 * Keeps calls under way for a time, on connections that are open when it begins.
 *
 * @param {{ operation: "get" | "set", inFlight: number, time: number }} parameters milliseconds
 */
async function load({ operation, inFlight, time }) {
  if (loaded?.inFlight !== inFlight) {
    await loaded?.client.close();
    loaded = { inFlight, client: connect(url, inFlight) };
  }
  const { client } = loaded;
  const call = operation === "get" ? get : set;
  await repeat(client, call, inFlight, time / 4);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const calls = await repeat(client, call, inFlight, time);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { calls, seconds, cpuMicros: user + system };
}

/**
 * @param {Client} client
 * @param {Call} call
 * @param {number} inFlight
 * @param {number} time milliseconds
 * @returns {Promise<number>} how many calls were made
 */
async function repeat(client, call, inFlight, time) {
  let [running, calls] = [true, 0];
  const lines = Array.from({ length: inFlight }, async () => {
    while (running) await call(client, keyOf(calls++));
  });
  await sleep(time);
  running = false;
  await Promise.all(lines);
  return calls;
}

/** @type {Call} */
async function get(client, key) {
  if ((await client.get(key)) !== VALUE) throw new Error(`${name}: ${key} has another value`);
}

/** @type {Call} */
async function set(client, key) {
  await client.set(key, VALUE);
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

/** @param {number} index */
function keyOf(index) {
  return `/bench/${index % KEYS}`;
}

/** @param {unknown} error */
function fail(error) {
  console.error(error);
  process.exit(1);
}
