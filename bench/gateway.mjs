// @ts-check
/**
 * Measures a gateway beside the v2 API of the very etcd that it stands before, in one run;
 * docs/benchmarks.md says what. After a build (npm run build):
 *
 *     node --expose-gc bench/gateway.mjs [ROUNDS]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { EtcdClient } from "../dist/index.js";
import { createGateway } from "../dist/server/index.js";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";
import { openPolls } from "./bare-polls.mjs";
import { cpuTime, figure, median, warmUp } from "./measured.mjs";

const VALUE = "0123456789".repeat(10);
const IN_FLIGHT = 256;
const KEYS = 1000;
const TIME = 1500;
const POLLS = 10_000;
/** What docs/running-the-gateway.md advises. */
const ADVISED = ["--max-semi-space-size=64"];

const [, , what = "5", url = ""] = process.argv;
if (what === "gateway") await serve(url);
else await compare(Number(what));

/** In a process of its own, as etcd is. @param {string} etcd */
async function serve(etcd) {
  const gateway = await createGateway({ etcd: { urls: [etcd] } });
  process.on("message", () => {
    globalThis.gc?.();
    process.send?.({ rss: process.memoryUsage().rss });
  });
  process.send?.({ url: gateway.url });
}

/** @param {number} rounds */
async function compare(rounds) {
  const binary = ensureEtcd("3.4");
  if ("missing" in binary) throw new Error(binary.missing);
  const etcd = await startEtcdProcess({ binary: binary.path, v2: true });
  const child = fork(import.meta.filename, ["gateway", etcd.url], {
    execArgv: ["--expose-gc", ...ADVISED],
  });
  const [{ url }] = await once(child, "message");
  try {
    for (const load of /** @type {const} */ (["get", "set"])) {
      const ratios = [];
      for (const each of [etcd.url, url]) await warmUp(load, () => rate(each, load));
      for (let round = 0; round < rounds; round++) {
        const [theirs, ours] = [await rate(etcd.url, load), await rate(url, load)];
        ratios.push(ours / theirs);
      }
      figure(
        `gateway: ${load}, ${IN_FLIGHT} in flight, calls/s ÷ etcd 3.4's own v2`,
        median(ratios),
      );
    }
    await polls(url, etcd.url, child);
  } finally {
    child.kill();
    await etcd.remove();
  }
}

/** Calls per second. @param {string} url @param {"get" | "set"} load */
async function rate(url, load) {
  const etcd = new EtcdClient({ urls: [url] });
  let calls = 0;
  let end = Number.POSITIVE_INFINITY;
  const key = () => `/bench/${calls++ % KEYS}`;
  const work = async () => {
    while (performance.now() < end) {
      if (load === "set") await etcd.setNode(key(), VALUE);
      else await etcd.getNode(key());
    }
  };
  await Promise.all(Array.from({ length: KEYS }, () => etcd.setNode(key(), VALUE)));
  for (const time of [TIME / 3, TIME]) {
    [calls, end] = [0, performance.now() + time];
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  }
  await etcd.close();
  return (calls / TIME) * 1000;
}

/**
 * @param {string} url
 * @param {string} etcdUrl
 * @param {import("node:child_process").ChildProcess} child
 */
async function polls(url, etcdUrl, child) {
  const memory = async () => {
    child.send("memory");
    return /** @type {number} */ ((await once(child, "message"))[0].rss);
  };
  const etcd = new EtcdClient({ urls: [url] });
  const before = await memory();
  const waiting = await openPolls(url, POLLS);
  const each = ((await memory()) - before) / POLLS / 1024;
  figure("gateway: a waiting poll", each, { unit: "KiB", better: "less", digits: 1 });
  const metrics = await (await fetch(`${etcdUrl}/metrics`)).text();
  const [, watches] = /^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(metrics) ?? [];
  console.log(`watches on etcd: ${watches}`);
  const cpu = cpuTime(Number(child.pid));
  const begun = performance.now();
  await etcd.setNode("/watched", "1");
  await Promise.all(waiting.map(({ event }) => event));
  const time = performance.now() - begun;
  const spent = (cpuTime(Number(child.pid)) - cpu) / POLLS;
  const less = /** @type {const} */ ({ better: "less", digits: 0 });
  figure(`gateway: one event to ${POLLS} polls`, time, { unit: "ms", ...less });
  figure("gateway: an event for one poll", spent, { unit: "µs of CPU", ...less });
  for (const { socket } of waiting) socket.destroy();
  await etcd.close();
}
