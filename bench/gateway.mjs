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
      for (let round = 0; round < rounds; round++) {
        const [theirs, ours] = [await rate(etcd.url, load), await rate(url, load)];
        ratios.push(ours / theirs);
      }
      console.log(`${load}, ${IN_FLIGHT} in flight: ${median(ratios).toFixed(2)} of etcd's own v2`);
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
  const events = [];
  while (events.length < POLLS) {
    for (let n = 0; n < 500; n++) events.push(etcd.watchNode("/watched"));
    while ((await etcd.stats.store()).watchers < events.length) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const each = ((await memory()) - before) / POLLS / 1024;
  console.log(`a waiting poll, of ${POLLS}: ${each.toFixed(1)} KiB of the gateway`);
  const metrics = await (await fetch(`${etcdUrl}/metrics`)).text();
  const [, watches] = /^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(metrics) ?? [];
  console.log(`watches on etcd: ${watches}`);
  const begun = performance.now();
  await etcd.setNode("/watched", "1");
  await Promise.all(events);
  console.log(`one event to ${POLLS} polls: ${(performance.now() - begun).toFixed(0)} ms`);
  await etcd.close();
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
