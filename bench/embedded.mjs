// @ts-check
/** Measures the embedded server beside a real etcd, in one run; docs/benchmarks.md says what. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { EtcdClient } from "../dist/index.js";
import { MemoryKeySpace, startEmbeddedEtcd } from "../dist/server/index.js";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";
import { allEvents, openPolls } from "./bare-polls.mjs";
import { figure, median, mode, publish, warmUp } from "./measured.mjs";
import { table } from "./report.mjs";

const VALUE = "0123456789".repeat(10);
const IN_FLIGHT = 32;
const plan = {
  long: { rounds: 3, time: 800, keys: 1_000_000, watchers: 10_000, calls: 300_000 },
  quick: { rounds: 1, time: 300, keys: 100_000, watchers: 2_000, calls: 100_000 },
  check: { rounds: 1, time: 20, keys: 2_000, watchers: 50, calls: 1_000 },
}[mode()];
/** @type {[name: string, value: string][]} */
const rows = [];
const LESS = /** @type {const} */ ({ unit: "ms", better: "less" });

if (process.argv[2] === "serve") await serve();
else await compare(plan.rounds);

/** In a process of its own, as etcd is. */
async function serve() {
  const server = await startEmbeddedEtcd();
  process.on("message", async (/** @type {{ fill?: number }} */ { fill = 0 }) => {
    for (let n = 0; n < fill; n++) await server.keySpace.execute(setOf(n, fill));
    globalThis.gc?.();
    process.send?.({ rss: process.memoryUsage().rss });
  });
  process.send?.({ url: server.url });
}

/** @param {number} rounds */
async function compare(rounds) {
  const etcd = ensureEtcd("3.4");
  if ("missing" in etcd) throw new Error(etcd.missing);
  const real = await startEtcdProcess({ binary: etcd.path, v2: true });
  const child = fork(import.meta.filename, ["serve"], { execArgv: ["--expose-gc"] });
  const [{ url }] = await once(child, "message");
  try {
    for (const each of [real.url, url]) {
      for (const load of ["set", "get"]) await warmUp(load, () => rate(each, load));
    }
    for (const load of ["get", "set", "mixed", "miss"]) {
      const ratios = [];
      for (let round = 0; round < rounds; round++) {
        const [theirs, ours] = [await rate(real.url, load), await rate(url, load)];
        ratios.push(ours / theirs);
      }
      show(`${load}, calls/s ÷ etcd 3.4`, median(ratios));
    }
    await watchers(url, child);
    await sizes(url, child, rounds);
  } finally {
    child.kill();
    await real.remove();
  }
  await keySpace();
  await startUp();
  publish("embedded", table(["embedded server", "measured"], rows));
}

/** @param {string} name @param {number} value @param {Parameters<typeof figure>[2]} [options] */
function show(name, value, options = {}) {
  figure(`embedded: ${name}`, value, options);
  const { unit = "", digits = 2 } = options;
  const text = value >= 1e4 ? Math.round(value).toLocaleString("en") : value.toFixed(digits);
  rows.push([name, `${text} ${unit}`.trim()]);
}

/**
 * @param {string} url
 * @param {string} load
 * @param {(n: number) => string} keyOf
 */
async function rate(url, load, keyOf = (n) => `/bench/${n % 1000}`) {
  const etcd = new EtcdClient({ urls: [url] });
  let calls = 0;
  let end = performance.now() + plan.time / 4;
  const work = async () => {
    while (performance.now() < end) {
      const key = load === "miss" ? `/missing/${calls++}` : keyOf(calls++);
      if (load === "set" || (load === "mixed" && calls % 2 === 0)) await etcd.setNode(key, VALUE);
      else await etcd.getNode(key, { ignoreKeyNotFound: true });
    }
  };
  const all = () => Promise.all(Array.from({ length: IN_FLIGHT }, work));
  await all();
  [calls, end] = [0, performance.now() + plan.time];
  await all();
  await etcd.close();
  return calls;
}

/**
 * The same server with 1,000 keys in use, then with a million.
 *
 * @param {string} url
 * @param {import("node:child_process").ChildProcess} child
 * @param {number} rounds
 */
async function sizes(url, child, rounds) {
  const [small, large] = [1_000, plan.keys];
  /** @param {number} size @param {string} load */
  const measure = async (size, load) => {
    const rates = [];
    for (let round = 0; round < rounds; round++) {
      rates.push(await rate(url, load, (n) => setOf(n * 7919, size).key));
    }
    return median(rates);
  };
  /** @type {Map<string, number>} */
  const before = new Map();
  for (const size of [small, large]) {
    child.send({ fill: size });
    await once(child, "message");
    for (const load of ["get", "set"]) {
      const calls = await measure(size, load);
      if (size === small) before.set(load, calls);
      else show(`${load}, ${large} keys ÷ ${small} keys`, calls / (before.get(load) ?? 0));
    }
  }
}

/**
 * @param {string} url
 * @param {import("node:child_process").ChildProcess} child
 */
async function watchers(url, child) {
  const count = plan.watchers;
  const memory = async () => {
    child.send({});
    return /** @type {number} */ ((await once(child, "message"))[0].rss);
  };
  const before = await memory();
  const polls = await openPolls([url], count);
  const each = ((await memory()) - before) / count / 1024;
  show("a waiting watcher", each, { unit: "KiB", better: "less", digits: 1 });
  const etcd = new EtcdClient({ urls: [url] });
  const begun = performance.now();
  await Promise.all([etcd.setNode("/watched", "1"), allEvents(polls)]);
  const time = performance.now() - begun;
  show(`one event to ${count} watchers`, time, { ...LESS, digits: 0 });
  for (const poll of polls) poll.close();
  await etcd.close();
}

async function keySpace() {
  for (const size of [1_000, plan.keys]) {
    const keys = new MemoryKeySpace();
    for (let n = 0; n < size; n++) await keys.execute(setOf(n, size));
    const begun = performance.now();
    const { calls } = plan;
    for (let n = 0; n < calls; n += 2) {
      await keys.execute(setOf(n * 7919, size));
      await keys.execute({ action: "get", key: setOf(n * 7919, size).key });
    }
    const perSecond = (calls / (performance.now() - begun)) * 1000;
    show(`key space without HTTP, ${size} keys, half gets, half sets`, perSecond, {
      unit: "calls/s",
      digits: 0,
    });
    await keys.close();
  }
}

/** @param {number} n @param {number} size @returns {{ action: "set", key: string, value: string }} */
function setOf(n, size) {
  const key = n % size;
  return { action: "set", key: `/${key % 1000}/${key}`, value: VALUE };
}

async function startUp() {
  const begun = performance.now();
  const server = await startEmbeddedEtcd();
  await fetch(`${server.url}/version`);
  const time = performance.now() - begun;
  show("start to first response", time, { ...LESS, digits: 1 });
  await server.close();
}
