// @ts-check
/**
 * Measures `etcdnet migrate` from v2 of etcd 3.4 to v3 of etcd 3.7, as a process: keys per second from its
 * start to its end, and the most memory that it held.
 *
 *     node bench/migrate.mjs [KEYS ...] [--per-directory N]
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { EtcdClient } from "../dist/index.js";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";
import { figure, mode, publish } from "./measured.mjs";
import { table } from "./report.mjs";

const MAIN = new URL("../dist/cli/main.js", import.meta.url).pathname;
const IN_FLIGHT = 128;
const PLAN = { long: [20_000, 200_000], quick: [2_000, 20_000], check: [200] };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "per-directory": { type: "string", default: "1000" } },
});
const perDirectory = Number(values["per-directory"]);
const sizes = positionals.length > 0 ? positionals.map(Number) : PLAN[mode()];
/** @type {string[][]} */
const rows = [];

/** @param {"3.4" | "3.7"} release @param {boolean} v2 */
async function start(release, v2) {
  const etcd = ensureEtcd(release);
  if ("missing" in etcd) throw new Error(etcd.missing);
  return await startEtcdProcess({ binary: etcd.path, v2 });
}

for (const keys of sizes) await measure(keys);
const head = ["keys", "keys/s", "peak, MiB", "into other data ÷ into an empty target"];
publish("migrate", table(head, rows));

/** @param {number} keys */
async function measure(keys) {
  const source = await start("3.4", true);
  const target = await start("3.7", false);
  try {
    await fill(source.url, keys);
    const first = await migrate(source.url, target.url);
    const again = await migrate(source.url, target.url);
    const other = await start("3.7", false);
    const etcd = new EtcdClient({ urls: [other.url], api: "v3" });
    await etcd.setNode("/other", "1");
    await etcd.close();
    const over = await migrate(source.url, other.url, "--overwrite").finally(() => other.remove());
    const show = (/** @type {{ seconds: number, rss: number }} */ { seconds, rss }) =>
      `${(keys / seconds).toFixed(0)} keys/s, ${seconds.toFixed(1)} s, peak ${rss.toFixed(0)} MiB`;
    console.log(`${keys} keys, ${perDirectory} in a directory`);
    console.log(`  first:  ${show(first)}`);
    console.log(`  again:  ${show(again)}`);
    console.log(`  over other data:  ${show(over)}`);
    const share = first.seconds / over.seconds;
    rows.push(
      [keys, keys / first.seconds, first.rss].map((n) => Math.round(n).toLocaleString("en")),
    );
    rows.at(-1)?.push(share.toFixed(2));
    figure(`migrate: ${keys} keys, into other data ÷ into an empty target`, share);
    figure(`migrate: ${keys} keys`, keys / first.seconds, { unit: "keys/s", digits: 0 });
    figure(`migrate: ${keys} keys, memory`, first.rss, { unit: "MiB", better: "less", digits: 0 });
  } finally {
    await source.remove();
    await target.remove();
  }
}

/** @param {string} url @param {number} keys */
async function fill(url, keys) {
  const etcd = new EtcdClient({ urls: [url], maxConnections: IN_FLIGHT });
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < keys; n = next++) {
      const key = `/bench/d${Math.floor(n / perDirectory)}/key-${n}`;
      await etcd.setNode(key, `value of ${n}`, { noValueOnSuccess: true });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  await etcd.close();
}

/**
 * @param {string} from
 * @param {string} to
 * @param {readonly string[]} options
 * @returns {Promise<{ seconds: number, rss: number }>}
 */
function migrate(from, to, ...options) {
  const startedAt = performance.now();
  const args = [MAIN, "migrate", "--from", from, "--to", to, "--to-api", "v3", ...options];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  let rss = 0;
  const watching = setInterval(() => {
    rss = Math.max(rss, peakOf(child.pid));
  }, 20);
  return new Promise((resolve, reject) => {
    child.once("close", (code) => {
      clearInterval(watching);
      if (code !== 0) reject(new Error(`migrate ended with ${code}`));
      else resolve({ seconds: (performance.now() - startedAt) / 1000, rss });
    });
  });
}

/** MiB, as Linux counts them. @param {number | undefined} pid */
function peakOf(pid) {
  try {
    const [, kib = "0"] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kib) / 1024;
  } catch {
    return 0;
  }
}
