// @ts-check
/**
 * Measures the embedded server beside a real etcd, in one run; docs/benchmarks.md says what.
 *
 *     node --expose-gc bench/embedded.mjs [ROUNDS]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { EtcdClient } from "../dist/index.js";
import { MemoryKeySpace, startEmbeddedEtcd } from "../dist/server/index.js";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";

const VALUE = "0123456789".repeat(10);
const IN_FLIGHT = 32;
const TIME = 1000;

if (process.argv[2] === "serve") await serve();
else await compare(Number(process.argv[2] ?? 5));

/** In a process of its own, as etcd is. */
async function serve() {
  const server = await startEmbeddedEtcd();
  process.on("message", () => {
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
    for (const load of ["get", "set", "mixed"]) {
      const ratios = [];
      for (let round = 0; round < rounds; round++) {
        const [theirs, ours] = [await rate(real.url, load), await rate(url, load)];
        ratios.push(ours / theirs);
      }
      console.log(
        `${load}, ${IN_FLIGHT} in flight: ${median(ratios).toFixed(2)} of etcd's calls/s`,
      );
    }
    await watchers(url, child);
  } finally {
    child.kill();
    await real.remove();
  }
  await keySpace();
  await startUp();
}

/** @param {string} url @param {string} load */
async function rate(url, load) {
  const etcd = new EtcdClient({ urls: [url] });
  let calls = 0;
  let end = performance.now() + TIME / 4;
  const work = async () => {
    while (performance.now() < end) {
      const key = `/bench/${calls++ % 1000}`;
      if (load === "set" || (load === "mixed" && calls % 2 === 0)) await etcd.setNode(key, VALUE);
      else await etcd.getNode(key, { ignoreKeyNotFound: true });
    }
  };
  const all = () => Promise.all(Array.from({ length: IN_FLIGHT }, work));
  await all();
  [calls, end] = [0, performance.now() + TIME];
  await all();
  await etcd.close();
  return calls;
}

/** @param {string} url @param {import("node:child_process").ChildProcess} child */
async function watchers(url, child) {
  const count = 10_000;
  const memory = async () => {
    child.send("memory");
    return /** @type {number} */ ((await once(child, "message"))[0].rss);
  };
  const etcd = new EtcdClient({ urls: [url] });
  const before = await memory();
  const events = Array.from({ length: count }, () => etcd.watchNode("/watched"));
  while ((await etcd.stats.store()).watchers < count) await new Promise((r) => setTimeout(r, 50));
  console.log(`a waiting watcher: ${((await memory()) - before) / count / 1024} KiB of the server`);
  const begun = performance.now();
  await etcd.setNode("/watched", "1");
  await Promise.all(events);
  console.log(`one event to ${count} watchers: ${(performance.now() - begun).toFixed(0)} ms`);
  await etcd.close();
}

async function keySpace() {
  for (const size of [1_000, 1_000_000]) {
    const keys = new MemoryKeySpace();
    for (let n = 0; n < size; n++) await keys.execute(setOf(n, size));
    const begun = performance.now();
    const calls = 300_000;
    for (let n = 0; n < calls; n += 2) {
      await keys.execute(setOf(n * 7919, size));
      await keys.execute({ action: "get", key: setOf(n * 7919, size).key });
    }
    const perSecond = (calls / (performance.now() - begun)) * 1000;
    console.log(`key space of ${size}, half gets, half sets: ${perSecond.toFixed(0)} calls/s`);
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
  console.log(`start to first answer: ${(performance.now() - begun).toFixed(1)} ms`);
  await server.close();
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
