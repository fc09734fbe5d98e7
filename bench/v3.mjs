// @ts-check
/**
 * Measures what users of etcd 3.7 have: the client on the v3 API and a gateway, beside Go's clientv3, etcd3, and Go's
 * client/v2 on the gateway; the same on etcd 3.4, beside its own v2 API. docs/benchmarks.md says what and how.
 */
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";
import {
  contenders,
  ETCD3,
  GATEWAY,
  GO,
  GO_BATCH,
  GO_V3,
  installed,
  OWN,
  OWN_V2,
  OWN_V3,
  v3Contenders,
} from "./contenders.mjs";
import { startGateway } from "./gateway-process.mjs";
import { measureLatency, measureSpeed, nameOf, sizeName } from "./measure.mjs";
import { figure, median, mode, publish } from "./measured.mjs";
import { latencyTable, ratio, speedTables } from "./report.mjs";

/**
 * @typedef {import("./measure.mjs").Load} Load
 * @typedef {import("./contenders.mjs").Contender} Contender
 * @typedef {Awaited<ReturnType<typeof measureSpeed>>} Speeds
 * @typedef {{ release: "3.7" | "3.4", those: readonly Contender[], late: readonly string[], ratios: readonly (readonly [string, string])[] }} System
 */

const GO_V2 = "Go client/v2, etcd's own v2";
/** 1 MB is near etcd's limit of a request. */
const SIZES = [100, 10_000, 1_000_000];

const plan = {
  long: { rounds: 3, time: 500, sizes: { rounds: 2, time: 350 }, late: { rounds: 3, time: 2000 } },
  quick: { rounds: 1, time: 200, sizes: { rounds: 1, time: 200 }, late: { rounds: 1, time: 700 } },
  check: { rounds: 1, time: 20, sizes: { rounds: 0, time: 0 }, late: { rounds: 1, time: 50 } },
}[mode()];
const inFlights = mode() === "check" ? [256] : [1, 32, 256, 1024];

/** The ones that are told apart from others by where they are. @param {string} name @param {string} shown */
function renamed(name, shown) {
  return contenders.filter((each) => each.name === name).map((each) => ({ ...each, name: shown }));
}

/** @type {readonly System[]} */
const systems = [
  {
    release: "3.7",
    those: v3Contenders,
    late: [OWN_V3, GATEWAY, GO_V3],
    ratios: [
      [OWN_V3, GO_V3],
      [OWN_V3, GO_BATCH],
      [OWN_V3, ETCD3],
      [GATEWAY, GO_V3],
    ],
  },
  {
    release: "3.4",
    those: [
      ...renamed(OWN, OWN_V2),
      ...renamed(GO, GO_V2),
      ...v3Contenders.filter(({ name }) => [OWN_V3, GATEWAY, GO_V3].includes(name)),
    ],
    late: [OWN_V2, GATEWAY],
    ratios: [
      [GATEWAY, OWN_V2],
      [OWN_V3, GO_V3],
    ],
  },
];

for (const system of mode() === "check" ? systems.slice(0, 1) : systems) await measure(system);

/** @param {System} system */
async function measure({ release, those, late, ratios }) {
  const etcd = ensureEtcd(release);
  if ("missing" in etcd) throw new Error(`etcd ${release}: ${etcd.missing}`);
  const server = await startEtcdProcess({
    binary: etcd.path,
    v2: release === "3.4",
    // Of values of 1 MB, it keeps the former ones, too.
    args: ["--quota-backend-bytes=8589934592"],
  });
  const gateway = await startGateway(server.url);
  const urlOf = (/** @type {Contender} */ { isGateway }) => (isGateway ? gateway.url : server.url);
  try {
    const here = installed(mode() === "check" ? those.slice(0, 2) : those);
    const speeds = await measureSpeed(urlOf, loadsOf(here, inFlights, [100]), plan);
    publish(`etcd-${release}`, speedTables(speeds));
    showSpeeds(release, speeds, ratios);
    await showLatencies(release, urlOf, here, late, speeds);
    if (release === "3.4" || mode() === "check") return;
    const sizes = loadsOf(here, [32], SIZES.slice(1));
    showSizes(release, speeds, await measureSpeed(urlOf, sizes, plan.sizes));
  } finally {
    await gateway.stop();
    await server.remove();
  }
}

/** @param {readonly Contender[]} those @param {readonly number[]} inFlights @param {readonly number[]} sizes */
function loadsOf(those, inFlights, sizes) {
  const loads = sizes.flatMap((size) =>
    inFlights.flatMap((inFlight) =>
      /** @type {const} */ (["get", "set"]).map((operation) => ({ operation, inFlight, size })),
    ),
  );
  return new Map(loads.map((load) => [load, those]));
}

/** @param {string} release @param {Speeds} speeds @param {System["ratios"]} ratios */
function showSpeeds(release, speeds, ratios) {
  for (const [load, results] of speeds) {
    for (const [name, rounds] of results) {
      const rate = median(rounds.map((each) => each.rate));
      const point = { chart: `${load.operation}-${release}`, series: name, x: load.inFlight };
      const unit = "calls/s";
      figure(`etcd ${release}: ${nameOf(load)}, ${name}`, rate, { unit, digits: 0, point });
    }
    for (const [name, base] of ratios) {
      const value = Number(ratio(results, name, base, ({ rate }) => rate));
      if (Number.isNaN(value)) continue;
      figure(`etcd ${release}: ${nameOf(load)}, ${name} ÷ ${base}`, value);
    }
  }
}

/** @param {string} release @param {Speeds} small @param {Speeds} large */
function showSizes(release, small, large) {
  const in32 = [...small].filter(([{ inFlight }]) => inFlight === 32);
  for (const [load, results] of [...in32, ...large]) {
    for (const [name, rounds] of results) {
      const size = load.size ?? 0;
      const perSecond = (median(rounds.map((each) => each.rate)) * size) / 1e6;
      const point = { chart: `${load.operation}-sizes`, series: name, x: size };
      const what = `${load.operation} of ${sizeName(size)}, 32 in flight, ${name}`;
      figure(`etcd ${release}: ${what}, bytes`, perSecond, { unit: "MB/s", digits: 1, point });
    }
  }
  publish("sizes", speedTables(large));
}

/**
 * @param {string} release
 * @param {import("./measure.mjs").UrlOf} urlOf
 * @param {readonly Contender[]} here
 * @param {readonly string[]} late
 * @param {Speeds} speeds
 */
async function showLatencies(release, urlOf, here, late, speeds) {
  const those = here.filter(({ name }) => late.includes(name));
  const latencies = await measureLatency(urlOf, those, speeds, plan.late);
  publish(`latency-${release}`, latencyTable(latencies));
  for (const [operation, results] of latencies) {
    for (const [name, rounds] of results) {
      const what = `etcd ${release}: ${operation} at half of the highest rate, ${name}`;
      for (const part of /** @type {const} */ (["p50", "p90", "p99", "p999"])) {
        const value = median(rounds.map((each) => each[part])) / 1000;
        const point = { chart: `latency-${operation}`, series: `${name}, ${release}`, x: part };
        figure(`${what}, ${part}`, value, { unit: "ms", better: "less", point });
      }
      const tail = median(rounds.map(({ p50, p99 }) => p99 / p50));
      figure(`${what}, p99 ÷ p50`, tail, { better: "less" });
    }
  }
}
