// @ts-check
/**
 * Measures long polls on one gateway and on two, and what a million watchers would cost; docs/benchmarks.md says how.
 */
import { EtcdClient } from "../dist/index.js";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";
import { allEvents, openPolls, pollAll } from "./bare-polls.mjs";
import { startGateway } from "./gateway-process.mjs";
import { cpuTime, figure, median, mode, publish } from "./measured.mjs";
import { table } from "./report.mjs";
import { gatewaysNeeded, simulate } from "./simulation.mjs";

const VALUE = "0123456789".repeat(10);
const LESS = /** @type {const} */ ({ better: "less", digits: 1 });
const plan = {
  long: { few: 2_000, many: 10_000, rounds: 5, sets: 8_000 },
  quick: { few: 1_000, many: 5_000, rounds: 3, sets: 3_000 },
  check: { few: 20, many: 50, rounds: 1, sets: 50 },
}[mode()];
const MILLION = mode() === "check" ? 10_000 : 1_000_000;
const SHOWN_GATEWAYS = [1, 2, 5, 10, 20, 50, 100, 200];
/** Between a gateway and its watchers, in µs. */
const ROUND_TRIP = 1_000;

/** @typedef {import("./gateway-process.mjs").GatewayProcess} GatewayProcess */
/** One event for many polls, in ms and in µs of CPU for each poll. @typedef {{ time: number, event: number, poll: number, reader: number }} Wake */

const binary = ensureEtcd("3.7");
if ("missing" in binary) throw new Error(binary.missing);
const etcd = await startEtcdProcess({ binary: binary.path });
const gateways = [await startGateway(etcd.url), await startGateway(etcd.url)];
const [first] = /** @type {[GatewayProcess]} */ (/** @type {unknown} */ (gateways));
const writer = new EtcdClient({ urls: [first.url] });
try {
  await memory();
  const small = await wakes(gateways.slice(0, 1), plan.few);
  const one = await wakes(gateways.slice(0, 1), plan.many);
  const two = await wakes(gateways, plan.many);
  const { many } = plan;
  figure(`gateway: one event to ${many} polls`, one.time, { unit: "ms", ...LESS });
  figure(`gateway: one event to ${many} polls, on two gateways`, two.time, { unit: "ms", ...LESS });
  figure("gateway: an event for one poll", one.event, { unit: "µs of CPU", ...LESS });
  figure("gateway: the next poll of a watcher", one.poll, { unit: "µs of CPU", ...LESS });
  const base = (await wakes(gateways.slice(0, 1), 1)).time * 1000;
  const fanOut = Math.max(0, await fanOutCost());
  figure("gateway: etcd's event for one more gateway", fanOut, { unit: "µs of CPU", ...LESS });
  const costs = { ...small, base, fanOut };
  for (const [count, measured] of /** @type {const} */ ([
    [1, one],
    [2, two],
  ])) {
    const system = { watchers: many, gateways: count, cores: 2, roundTrip: 0 };
    const predicted = simulate(system, costs).last;
    figure(
      `simulation: predicted ÷ measured, ${many} polls, gateways: ${count}`,
      predicted / measured.time,
    );
  }
  million({ ...costs, event: one.event, poll: one.poll, reader: 0 });
} finally {
  await writer.close();
  for (const each of gateways) await each.stop();
  await etcd.remove();
}

async function memory() {
  await writer.setNode("/watched", VALUE);
  const before = await first.memory();
  const polls = await openPolls([first.url], plan.many);
  const each = ((await first.memory()) - before) / plan.many / 1024;
  figure("gateway: a waiting poll", each, { unit: "KiB", ...LESS });
  for (const poll of polls) poll.close();
}

/**
 * @param {readonly GatewayProcess[]} some
 * @param {number} count of polls, which the gateways share
 * @returns {Promise<Wake>} medians
 */
async function wakes(some, count) {
  const polls = await openPolls(
    some.map(({ url }) => url),
    count,
  );
  const cpu = () => some.map(({ pid }) => cpuTime(pid)).reduce((a, b) => a + b);
  /** @type {Wake[]} */
  const all = [];
  for (let round = 0; round <= plan.rounds; round++) {
    const [idle, own, begun] = [cpu(), process.cpuUsage(), performance.now()];
    await writer.setNode("/watched", VALUE);
    await allEvents(polls);
    const time = performance.now() - begun;
    const { user, system } = process.cpuUsage(own);
    const woken = cpu();
    await pollAll(polls);
    const each = { event: woken - idle, poll: cpu() - woken, reader: user + system };
    const wake = {
      time,
      event: each.event / count,
      poll: each.poll / count,
      reader: each.reader / count,
    };
    // The first one warms up.
    if (round > 0) all.push(wake);
  }
  for (const poll of polls) poll.close();
  const of = (/** @type {keyof Wake} */ what) => median(all.map((each) => each[what]));
  const mean = (/** @type {keyof Wake} */ what) =>
    all.reduce((sum, each) => sum + each[what], 0) / all.length;
  // Linux counts CPU time in units of 10 ms, so that a mean says more.
  return { time: of("time"), event: mean("event"), poll: mean("poll"), reader: mean("reader") };
}

/** CPU time of etcd for a set when both gateways watch, less that when one does. */
async function fanOutCost() {
  const costs = [];
  for (const some of [gateways.slice(0, 1), gateways]) {
    const waiting = await openPolls(
      some.map(({ url }) => url),
      some.length,
    );
    const before = cpuTime(Number(etcd.pid));
    let n = 0;
    const work = async () => {
      while (n < plan.sets) await writer.setNode(`/bench/${n++ % 1000}`, VALUE);
    };
    await Promise.all(Array.from({ length: 32 }, work));
    costs.push((cpuTime(Number(etcd.pid)) - before) / plan.sets);
    for (const poll of waiting) poll.close();
  }
  const [alone = 0, both = 0] = costs;
  return both - alone;
}

/** @param {import("./simulation.mjs").Costs} costs */
function million(costs) {
  const rows = SHOWN_GATEWAYS.map((count) => {
    const system = { watchers: MILLION, gateways: count, cores: count, roundTrip: ROUND_TRIP };
    const { median: half, last, ready, cpu } = simulate(system, costs);
    for (const [series, value] of Object.entries({
      "half of the watchers": half,
      "the last watcher": last,
    })) {
      const point = { chart: "million", series, x: count };
      const name = `simulation: ${MILLION} watchers, gateways: ${count}, ${series}`;
      figure(name, value, { unit: "ms", ...LESS, point });
    }
    return [count, half, last, ready, cpu].map((value) => Math.round(value).toLocaleString("en"));
  });
  const needed = [10_000, 1_000, 150].map((within) => {
    const count = gatewaysNeeded(MILLION, within, costs) ?? "no number is enough";
    return `within ${within.toLocaleString("en")} ms: ${count}`;
  });
  const head = [
    "gateways",
    "half have it, ms",
    "the last has it, ms",
    "all wait again, ms",
    "CPU in all, ms",
  ];
  publish(
    "million",
    `${table(head, rows)}\n\nGateways that are needed so that the last of ${MILLION.toLocaleString("en")} watchers has a change ${needed.join("; ")}.`,
  );
}
