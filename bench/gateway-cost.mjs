// @ts-check
/**
 * CPU time of etcd and of a gateway for one set, in µs: of this build, and of another one in turn with it. After a build:
 *
 *     node bench/gateway-cost.mjs [--against DIST] [--release 3.4] [--watch elsewhere|all] [--idle]
 *                                 [--keys N] [--sets N] [--rounds N] [--in-flight 1,32,256]
 *
 * `--watch`: somebody waits meanwhile, elsewhere or for everything. `--idle`: begin when the watch on etcd has ended, for which
 * nobody waits. Linux counts CPU time in units of 10 ms, so a round needs thousands of sets.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { EtcdClient } from "../dist/index.js";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";
import { root } from "../scripts/project.mjs";
import { cpuTime, median } from "./measured.mjs";

const VALUE = "0123456789".repeat(10);
/** Longer than a gateway watches etcd after its last poll. */
const IDLE_MS = 11_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    against: { type: "string" },
    release: { type: "string", default: "3.7" },
    watch: { type: "string", default: "none" },
    idle: { type: "boolean", default: false },
    keys: { type: "string", default: "1000" },
    sets: { type: "string", default: "8000" },
    rounds: { type: "string", default: "5" },
    "in-flight": { type: "string", default: "1,32,256" },
  },
});

/**
 * @typedef {object} System
 * @property {import("../scripts/etcd-process.mjs").EtcdProcess} etcd
 * @property {import("node:child_process").ChildProcess} gateway
 * @property {string} url
 * @property {EtcdClient} watcher
 */

const [what, dist = "", url = ""] = positionals;
if (what === "gateway") await serve();
else await measure();

/** In a process of its own. */
async function serve() {
  const { createGateway } = await import(join(dist, "server", "index.js"));
  const gateway = await createGateway({ etcd: { urls: [url] } });
  process.on("disconnect", () => process.exit());
  process.send?.({ url: gateway.url });
}

async function measure() {
  const builds = [join(root, "dist"), ...(options.against ? [resolve(options.against)] : [])];
  const systems = [];
  try {
    for (const build of builds) systems.push(await start(build));
    if (options.idle) await delay(IDLE_MS);
    for (const inFlight of options["in-flight"].split(",").map(Number)) {
      const costs = await costsOf(systems, inFlight);
      const [own, other] = costs;
      const text = costs.map(
        ({ etcd, gateway }) => `etcd ${etcd.toFixed(0)}, gateway ${gateway.toFixed(0)}`,
      );
      const ratios =
        own && other
          ? `; ratios ${(own.etcd / other.etcd).toFixed(2)}, ${(own.gateway / other.gateway).toFixed(2)}`
          : "";
      console.log(
        `etcd ${options.release}, ${inFlight} in flight, µs: ${text.join(" | ")}${ratios}`,
      );
    }
  } finally {
    for (const system of systems) await stop(system);
  }
}

/** @param {string} build @returns {Promise<System>} */
async function start(build) {
  const binary = ensureEtcd(/** @type {"3.4" | "3.7"} */ (options.release));
  if ("missing" in binary) throw new Error(binary.missing);
  const etcd = await startEtcdProcess({ binary: binary.path });
  const gateway = fork(import.meta.filename, ["gateway", build, etcd.url]);
  const [{ url }] = await once(gateway, "message");
  const watcher = new EtcdClient({ urls: [url] });
  if (options.watch === "elsewhere") watcher.watchNode("/elsewhere").catch(() => {});
  if (options.watch === "all") void follow(watcher);
  const system = { etcd, gateway, url, watcher };
  await set(system, 64, Math.max(4_000, Number(options.keys)));
  return system;
}

/** @param {System} system */
async function stop({ etcd, gateway, watcher }) {
  await watcher.close();
  gateway.kill();
  await etcd.remove();
}

/** @param {EtcdClient} client */
async function follow(client) {
  try {
    for await (const _ of client.watch("/", { recursive: true }));
  } catch {
    // The end of the measurement.
  }
}

/** Medians of the rounds. @param {readonly System[]} systems @param {number} inFlight */
async function costsOf(systems, inFlight) {
  const sets = inFlight === 1 ? Math.ceil(Number(options.sets) / 4) : Number(options.sets);
  const costs = systems.map(() => ({
    etcd: /** @type {number[]} */ ([]),
    gateway: /** @type {number[]} */ ([]),
  }));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [at, system] of systems.entries()) {
      const pids = [Number(system.etcd.pid), Number(system.gateway.pid)];
      const [etcd = 0, gateway = 0] = pids.map(cpuTime);
      await set(system, inFlight, sets);
      costs[at]?.etcd.push((cpuTime(pids[0] ?? 0) - etcd) / sets);
      costs[at]?.gateway.push((cpuTime(pids[1] ?? 0) - gateway) / sets);
    }
  }
  return costs.map(({ etcd, gateway }) => ({ etcd: median(etcd), gateway: median(gateway) }));
}

/** @param {System} system @param {number} inFlight @param {number} sets */
async function set({ url }, inFlight, sets) {
  const client = new EtcdClient({ urls: [url] });
  let next = 0;
  const work = async () => {
    while (next < sets) await client.setNode(`/bench/${next++ % Number(options.keys)}`, VALUE);
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  await client.close();
}
