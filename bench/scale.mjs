// @ts-check
/**
 * What an operation costs against the number of keys, watchers, levels, gateways and members, in CPU time of the servers, which
 * other programs on the machine disturb less than a rate; docs/benchmarks.md says what.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { EtcdClient } from "../dist/index.js";
import { startEmbeddedEtcd } from "../dist/server/index.js";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdCluster } from "../scripts/etcd-process.mjs";
import { allEvents, openPolls, pollAll } from "./bare-polls.mjs";
import { startGateway } from "./gateway-process.mjs";
import { sizeName } from "./measure.mjs";
import { cpuTime, figure, mode, publish, warmUp } from "./measured.mjs";
import { table } from "./report.mjs";

const VALUE = "0123456789".repeat(10);
const IN_FLIGHT = 32;
/** etcd's limit of operations in a transaction. */
const MAX_OPS = 128;
const WARM_KEYS = 100;
const WARM_UP_MS = 400;
const PER_DIRECTORY = 1_000;
/** A stride that visits all keys in an order that no cache foresees. */
const STRIDE = 7_919;

/** Sizes of clusters. @type {(1 | 3)[]} */
const ONE_AND_THREE = [1, 3];

const PLANS = {
  long: {
    time: 1_500,
    keys: [1_000, 10_000, 100_000, 1_000_000],
    watchers: [1, 10, 100, 1_000, 5_000, 10_000, 20_000],
    sizes: [100, 1_000, 10_000, 100_000, 1_000_000],
    width: [1, 10, 100, 1_000, 10_000],
    depth: [1, 2, 4, 8, 16, 32, 60],
    gateways: [1, 2, 3, 4],
    members: ONE_AND_THREE,
  },
  quick: {
    time: 400,
    keys: [1_000, 10_000, 100_000],
    watchers: [1, 100, 1_000, 5_000],
    sizes: [100, 10_000, 1_000_000],
    width: [1, 100, 10_000],
    depth: [1, 8, 60],
    gateways: [1, 2, 4],
    members: ONE_AND_THREE,
  },
  check: {
    time: 10,
    keys: [10, 100],
    watchers: [1, 10],
    sizes: [100, 10_000],
    width: [1, 10],
    depth: [1, 4],
    gateways: [2],
    members: ONE_AND_THREE.slice(0, 1),
  },
};
const plan = PLANS[mode()];
/** What each chart shows, as a table: by its name, series and x. @type {Map<string, Map<string, Map<number, number>>>} */
const rows = new Map();

/**
 * A server of the v2 API, and the processes that work for it.
 *
 * @typedef {object} System
 * @property {string} url
 * @property {Readonly<Record<string, readonly number[]>>} pids by what they are
 * @property {(keys: number) => Promise<unknown>} fill
 * @property {() => Promise<void>} stop
 */

/** @typedef {(client: EtcdClient, n: number) => Promise<unknown>} Call */

if (process.argv[2] === "embedded") await serve();
else await measure();

/** In a process of its own, as etcd is. */
async function serve() {
  const server = await startEmbeddedEtcd();
  process.on("message", async (/** @type {number} */ keys) => {
    for (let n = 0; n < keys; n++) {
      await server.keySpace.execute({ action: "set", key: keyOf(n), value: VALUE });
    }
    process.send?.("filled");
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ url: server.url });
}

async function measure() {
  /** @type {[() => Promise<System>, string][]} */
  const kinds = [
    [() => startGatewaySystem(), "gateway"],
    [startEmbeddedSystem, "embedded"],
  ];
  for (const [start, kind] of kinds) {
    const system = await start();
    try {
      await settle(kind, system);
      for (const sweep of [watchers, width, depth, sizes, keys]) {
        await sweep(system);
        console.error(`${kind}: ${sweep.name} done`);
      }
    } finally {
      await system.stop();
    }
  }
  await gateways();
  await members();
  for (const [chart, series] of rows) publish(chart, tableOf(series));
}

/** @param {string} chart @param {string} series @param {number} x @param {number} micros of CPU */
function show(chart, series, x, micros) {
  const ofChart = rows.get(chart) ?? new Map();
  const ofSeries = ofChart.get(series) ?? new Map();
  rows.set(chart, ofChart.set(series, ofSeries.set(x, micros)));
  const point = { chart, series, x };
  const options = /** @type {const} */ ({ unit: "µs of CPU", better: "less", digits: 1 });
  figure(`${chart}: ${series}, ${x}`, micros, { ...options, point });
}

/** @param {Map<string, Map<number, number>>} series */
function tableOf(series) {
  const all = [...new Set([...series.values()].flatMap((each) => [...each.keys()]))];
  const head = ["µs of CPU", ...all.map((x) => x.toLocaleString("en"))];
  const body = [...series].map(([name, each]) => [
    name,
    ...all.map((x) => each.get(x)?.toFixed(1) ?? "–"),
  ]);
  return table(head, body);
}

/** @param {System} system */
async function keys(system) {
  for (const count of plan.keys) {
    await system.fill(count);
    const key = (/** @type {number} */ n) => keyOf((n * STRIDE) % count);
    await showCalls("scale-keys", system, count, {
      get: (client, n) => client.getNode(key(n)),
      set: (client, n) => client.setNode(key(n), VALUE),
    });
  }
}

/** Watchers of a key, while other keys are written, and while this one is. @param {System} system */
async function watchers(system) {
  /** @type {Awaited<ReturnType<typeof openPolls>>[number][]} */
  const polls = [];
  const writer = new EtcdClient({ urls: [system.url] });
  await writer.setNode("/watched", VALUE);
  for (const watchers of plan.watchers) {
    const count = Math.min(watchers, mostSockets());
    polls.push(...(await openPolls([system.url], count - polls.length)));
    await showCalls("scale-watchers", system, count, {
      "set of another key": (client, n) => client.setNode(`/bench/${n % 1000}`, VALUE),
    });
    // Linux counts in units of 10 ms.
    const wakes = Math.max(1, Math.min(200, Math.ceil((plan.time * 20) / count)));
    const spent = Object.fromEntries(Object.keys(system.pids).map((name) => [name, 0]));
    for (let wake = 0; wake < wakes; wake++) {
      const idle = usage(system);
      await writer.setNode("/watched", VALUE);
      await allEvents(polls);
      const woken = usage(system);
      for (const name of Object.keys(spent)) {
        spent[name] = (spent[name] ?? 0) + (woken[name] ?? 0) - (idle[name] ?? 0);
      }
      await pollAll(polls);
    }
    const [name = ""] = Object.keys(spent);
    show("scale-events", name, count, (spent[name] ?? 0) / wakes / count);
  }
  for (const poll of polls) poll.close();
  await writer.close();
}

/** This process has a descriptor for each poll, and others. */
function mostSockets() {
  const [, limit = "Infinity"] =
    /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return Number(limit) - 500;
}

/** @param {System} system */
async function sizes(system) {
  for (const size of plan.sizes) {
    const value = "0123456789".repeat(size / 10);
    const key = (/** @type {number} */ n) => `/sizes/${sizeName(size)}/${n % 64}`;
    await each(system, 64, (client, n) => client.setNode(key(n), value));
    await showCalls("scale-sizes", system, size, {
      get: (client, n) => client.getNode(key(n)),
      set: (client, n) => client.setNode(key(n), value),
    });
  }
}

/** @param {System} system */
async function width(system) {
  for (const count of plan.width) {
    const key = (/** @type {number} */ n) => `/width-${count}/${n % count}`;
    await each(system, count, (client, n) => client.setNode(key(n), VALUE));
    await showCalls("scale-width", system, count, {
      get: (client, n) => client.getNode(key(n)),
      set: (client, n) => client.setNode(key(n), VALUE),
    });
    const list = {
      "list, for each node": (/** @type {EtcdClient} */ client) =>
        client.getNode(`/width-${count}`),
    };
    await showCalls("scale-list", system, count, list, count);
  }
}

/** @param {System} system */
async function depth(system) {
  for (const levels of plan.depth) {
    const directory = "/d".repeat(levels - 1);
    const key = (/** @type {number} */ n) => `/depth-${levels}${directory}/${n % 100}`;
    await each(system, 100, (client, n) => client.setNode(key(n), VALUE));
    await showCalls("scale-depth", system, levels, {
      get: (client, n) => client.getNode(key(n)),
      set: (client, n) => client.setNode(key(n), VALUE),
    });
  }
}

/** Sets through the first of some gateways, of which each has a poll that waits for something else. */
async function gateways() {
  for (const count of plan.gateways) {
    const system = await startGatewaySystem({ gateways: count });
    await settle(`gateways: ${count}`, system);
    await showCalls("scale-gateways", system, count, {
      set: (client, n) => client.setNode(`/bench/${n % 1000}`, VALUE),
    }).finally(system.stop);
  }
}

async function members() {
  for (const count of plan.members) {
    const system = await startGatewaySystem({ members: count });
    await settle(`members: ${count}`, system);
    await system.fill(1_000);
    await showCalls("scale-members", system, count, {
      get: (client, n) => client.getNode(keyOf(n % 1_000)),
      "quorum get": (client, n) => client.getNode(keyOf(n % 1_000), { quorum: true }),
      set: (client, n) => client.setNode(keyOf(n % 1_000), VALUE),
    }).finally(system.stop);
  }
}

/**
 * @param {{ members?: 1 | 3, gateways?: number }} [options] with more than one gateway, each has a poll
 * @returns {Promise<System>}
 */
async function startGatewaySystem({ members = 1, gateways: count } = {}) {
  const binary = ensureEtcd("3.7");
  if ("missing" in binary) throw new Error(binary.missing);
  const args = ["--quota-backend-bytes=8589934592"];
  const etcds = await startEtcdCluster(members, { binary: binary.path, args });
  const urls = etcds.map(({ url }) => url);
  /** @type {import("./gateway-process.mjs").GatewayProcess[]} */
  const started = [];
  for (let n = 0; n < (count ?? 1); n++) started.push(await startGateway(...urls));
  const url = started[0]?.url ?? "";
  const polls = count
    ? await openPolls(
        started.map((each) => each.url),
        count,
      )
    : [];
  return {
    url,
    pids: {
      [count ? "gateways" : "gateway"]: started.map(({ pid }) => pid),
      etcd: etcds.map(({ pid }) => Number(pid)),
    },
    fill: (keys) => fillEtcd(urls[0] ?? "", keys),
    stop: async () => {
      for (const poll of polls) poll.close();
      for (const each of started) await each.stop();
      for (const etcd of etcds) await etcd.remove();
    },
  };
}

/** @returns {Promise<System>} */
async function startEmbeddedSystem() {
  const child = fork(import.meta.filename, ["embedded"]);
  const [{ url }] = await once(child, "message");
  return {
    url,
    pids: { "embedded server": [Number(child.pid)] },
    fill: async (keys) => {
      child.send(keys);
      await once(child, "message");
    },
    stop: async () => {
      child.kill();
      await once(child, "exit");
    },
  };
}

/** Writes files as plain keys of v3, many in one transaction. @param {string} url @param {number} keys */
async function fillEtcd(url, keys) {
  const base64 = (/** @type {string} */ text) => Buffer.from(text).toString("base64");
  const value = base64(VALUE);
  let next = 0;
  const work = async () => {
    while (next < keys) {
      const from = next;
      next = Math.min(keys, from + MAX_OPS);
      const success = Array.from({ length: next - from }, (_, n) => ({
        requestPut: { key: base64(keyOf(from + n)), value },
      }));
      const body = JSON.stringify({ success });
      const response = await fetch(`${url}/v3/kv/txn`, { method: "POST", body });
      if (!response.ok) throw new Error(`/v3/kv/txn: ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

/** Makes calls until their cost stands still. @param {string} name @param {System} system */
async function settle(name, system) {
  const key = (/** @type {number} */ n) => `/bench/${n % WARM_KEYS}`;
  await each(system, WARM_KEYS, (client, n) => client.setNode(key(n), VALUE));
  await warmUp(name, async () => {
    let cost = 0;
    for (const operation of /** @type {const} */ (["set", "get"])) {
      /** @type {Call} */
      const call = (client, n) =>
        operation === "set" ? client.setNode(key(n), VALUE) : client.getNode(key(n));
      const costs = await costsOf(system, call, Math.min(plan.time, WARM_UP_MS));
      cost += costs.reduce((sum, [, micros]) => sum + micros, 0);
    }
    return 1 / cost;
  });
}

/** @param {number} n */
function keyOf(n) {
  return `/keys/${Math.floor(n / PER_DIRECTORY)}/${n}`;
}

/**
 * @param {string} chart
 * @param {System} system
 * @param {number} x
 * @param {Readonly<Record<string, Call>>} calls
 * @param {number} [parts] of a call: shown is the cost of a part
 */
async function showCalls(chart, system, x, calls, parts = 1) {
  for (const [operation, call] of Object.entries(calls)) {
    for (const [name, micros] of await costsOf(system, call)) {
      show(chart, `${operation}: ${name}`, x, micros / parts);
    }
  }
}

/** µs of CPU for a call, by the processes that work for it. @param {System} system @param {Call} call @param {number} [duration] ms */
async function costsOf(system, call, duration = plan.time) {
  const client = new EtcdClient({ urls: [system.url] });
  let calls = 0;
  let end = 0;
  const work = async () => {
    // At least one, however slow it is.
    do await call(client, calls++);
    while (performance.now() < end);
  };
  let before = usage(system);
  for (const time of [duration / 2, duration]) {
    [calls, end, before] = [0, performance.now() + time, usage(system)];
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  }
  const after = usage(system);
  await client.close();
  return Object.keys(after).map((name) => {
    return /** @type {const} */ ([name, ((after[name] ?? 0) - (before[name] ?? 0)) / calls]);
  });
}

/** CPU time until now, in µs. @param {System} system @returns {Record<string, number>} */
function usage({ pids }) {
  const sums = Object.entries(pids).map(([name, those]) => [
    name,
    those.map(cpuTime).reduce((a, b) => a + b, 0),
  ]);
  return Object.fromEntries(sums);
}

/** @param {System} system @param {number} count @param {Call} call */
async function each({ url }, count, call) {
  const client = new EtcdClient({ urls: [url] });
  let next = 0;
  const work = async () => {
    for (let n = next++; n < count; n = next++) await call(client, n);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  await client.close();
}
