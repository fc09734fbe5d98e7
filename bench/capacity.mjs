// @ts-check
/**
 * Measures what one gateway needs, for "Sizing" in docs/running-the-gateway.md. Requests are counted by the
 * CPU time that the gateway spends on them, so that other programs on the machine disturb little. After a
 * build: npm run capacity [-- SECONDS]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { EtcdClient } from "../dist/index.js";
import { createGateway } from "../dist/server/index.js";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";
import { cpuTime } from "./measured.mjs";

const VALUE = "0123456789".repeat(10);
const KEYS = 1000;
const IN_FLIGHT = 64;
const POLLS = 1000;
/** Opened at a time. */
const BATCH = 100;
const WAKES = 10;
const RECURSIVE = { recursive: true };

/** @typedef {{ rss: number, descriptors: number }} Usage memory in bytes */

const [, , what = "3", url = ""] = process.argv;
if (what === "gateway") await serve(url);
else await measure(Number(what));

/** In a process of its own. @param {string} etcd */
async function serve(etcd) {
  const gateway = await createGateway({ etcd: { urls: [etcd] } });
  process.on("message", () => {
    globalThis.gc?.();
    process.send?.({ rss: process.memoryUsage.rss() });
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ url: gateway.url });
}

/** @param {number} seconds for each load */
async function measure(seconds) {
  const binary = ensureEtcd("3.4");
  if ("missing" in binary) throw new Error(binary.missing);
  // Of 3.4, because the same process then serves the v2 API itself, for comparison.
  const etcd = await startEtcdProcess({ binary: binary.path, v2: true });
  const child = fork(import.meta.filename, ["gateway", etcd.url], { execArgv: ["--expose-gc"] });
  const [{ url }] = await once(child, "message");
  try {
    const own = { url: etcd.url, pid: Number(etcd.pid) };
    const gateway = { url, pid: Number(child.pid) };
    console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}`);
    // First, because memory that other requests have used hides that of the polls.
    await measurePolls(gateway, child);
    for (const load of /** @type {const} */ (["get", "quorum get", "set"])) {
      const [theirs, ours] = [await cost(own, load, seconds), await cost(gateway, load, seconds)];
      const perCore = Math.round(1e6 / ours).toLocaleString("en");
      console.log(
        `${load}: ${ours.toFixed(0)} µs of CPU, ${perCore}/s for each core; ` +
          `${(ours / theirs).toFixed(1)} times the CPU of etcd 3.4 for its own v2 API`,
      );
    }
  } finally {
    child.kill();
    await etcd.remove();
  }
}

/**
 * CPU time of the server for one request, in µs.
 *
 * @param {{ url: string, pid: number }} server
 * @param {"get" | "quorum get" | "set"} load
 * @param {number} seconds
 */
async function cost({ url, pid }, load, seconds) {
  const etcd = new EtcdClient({ urls: [url] });
  let calls = 0;
  let end = 0;
  const work = async () => {
    while (performance.now() < end) {
      const key = `/capacity/${calls++ % KEYS}`;
      if (load === "set") await etcd.setNode(key, VALUE);
      else await etcd.getNode(key, { quorum: load === "quorum get" });
    }
  };
  for (let key = 0; key < KEYS; key++) await etcd.setNode(`/capacity/${key}`, VALUE);
  let before = 0;
  for (const time of [seconds / 3, seconds]) {
    [calls, end, before] = [0, performance.now() + time * 1000, cpuTime(pid)];
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  }
  const spent = cpuTime(pid) - before;
  await etcd.close();
  return spent / calls;
}

/**
 * @param {{ url: string, pid: number }} gateway
 * @param {import("node:child_process").ChildProcess} child
 */
async function measurePolls({ url, pid }, child) {
  const etcd = new EtcdClient({ urls: [url] });
  await etcd.setNode("/capacity/0", VALUE);
  const idle = await usage(child);
  /** @type {Promise<unknown>[]} */
  let polls = [];
  const text = async () => (await fetch(`${url}/metrics`)).text();
  const open = async () => {
    polls = [];
    while (polls.length < POLLS) {
      const batch = Array.from({ length: BATCH }, () => etcd.watchNode("/capacity", RECURSIVE));
      polls.push(...batch);
      while (!(await text()).includes(`etcdnet_watchers ${polls.length}\n`)) await delay(50);
    }
  };
  await open();
  const waiting = await usage(child);
  const kib = (waiting.rss - idle.rss) / POLLS / 1024;
  const descriptors = (waiting.descriptors - idle.descriptors) / POLLS;
  console.log(`idle: ${Math.round(idle.rss / 2 ** 20)} MiB, ${idle.descriptors} descriptors`);
  console.log(`a waiting poll: ${kib.toFixed(0)} KiB, ${descriptors.toFixed(1)} descriptors`);
  let spent = 0;
  for (let wake = 0; wake < WAKES; wake++) {
    const before = cpuTime(pid);
    await etcd.setNode("/capacity/0", VALUE);
    await Promise.all(polls);
    spent += cpuTime(pid) - before;
    if (wake < WAKES - 1) await open();
  }
  const each = spent / WAKES / POLLS;
  const perCore = Math.round(1e6 / each).toLocaleString("en");
  console.log(`an event: ${each.toFixed(0)} µs of CPU for each poll, ${perCore}/s for each core`);
  await etcd.close();
}

/** @param {import("node:child_process").ChildProcess} child @returns {Promise<Usage>} */
async function usage(child) {
  child.send("usage");
  const [{ rss }] = await once(child, "message");
  return { rss, descriptors: descriptorsOf(Number(child.pid)) };
}

/** @param {number} pid */
function descriptorsOf(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}
