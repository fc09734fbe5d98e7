// @ts-check
/** What this project means to reach, and the figures that show it. */
import { BARE, GATEWAY, GO_V3, OWN_V2, OWN_V3 } from "./contenders.mjs";
import { table } from "./report.mjs";

/** @typedef {import("./measured.mjs").Figure} Figure */

/**
 * @typedef {object} Target
 * @property {string} name
 * @property {string} figure its name
 * @property {number} aim the least, or the most where less is better
 * @property {Figure["better"]} [better] default: more
 */

/** @type {readonly Target[]} */
export const TARGETS = [
  ...[1, 32, 256].flatMap((inFlight) =>
    ["get", "set"].map((operation) => ({
      name: `client, v2 API: CPU ÷ bare undici, ${operation}, ${inFlight} in flight`,
      figure: `client: ${operation}, ${inFlight} in flight, CPU ÷ ${BARE}`,
      aim: 1.1,
      better: /** @type {const} */ ("less"),
    })),
  ),
  {
    name: "client, v3 API: gets ÷ Go clientv3's, 256 in flight, etcd 3.7",
    figure: `etcd 3.7: get, 256 in flight, ${OWN_V3} ÷ ${GO_V3}`,
    aim: 2,
  },
  ...[32, 256].map((inFlight) => ({
    name: `client, v3 API: sets ÷ Go clientv3's puts, ${inFlight} in flight, etcd 3.7`,
    figure: `etcd 3.7: set, ${inFlight} in flight, ${OWN_V3} ÷ ${GO_V3}`,
    aim: 0.8,
  })),
  {
    name: "gateway: gets ÷ the same etcd 3.4's own v2, 256 in flight",
    figure: `etcd 3.4: get, 256 in flight, ${GATEWAY} ÷ ${OWN_V2}`,
    aim: 0.8,
  },
  {
    name: "gateway: sets ÷ the same etcd 3.4's own v2, 256 in flight",
    figure: `etcd 3.4: set, 256 in flight, ${GATEWAY} ÷ ${OWN_V2}`,
    aim: 0.5,
  },
  {
    name: "gateway: sets ÷ Go clientv3's puts, 256 in flight, etcd 3.7",
    figure: `etcd 3.7: set, 256 in flight, ${GATEWAY} ÷ ${GO_V3}`,
    aim: 0.6,
  },
  ...["get", "set", "mixed", "miss"].map((load) => ({
    name: `embedded server: ${load}, calls/s ÷ etcd 3.4`,
    figure: `embedded: ${load}, calls/s ÷ etcd 3.4`,
    aim: 1.2,
  })),
  {
    name: "gateway: one event to 10,000 polls, ms",
    figure: "gateway: one event to 10000 polls",
    aim: 150,
    better: "less",
  },
  {
    name: "migrate: 200,000 keys, into a target with data ÷ into an empty one",
    figure: "migrate: 200000 keys, into other data ÷ into an empty target",
    aim: 0.5,
  },
  ...["get", "set"].flatMap((operation) =>
    [
      ["3.7", OWN_V3],
      ["3.7", GATEWAY],
    ].map(([release, name]) => ({
      name: `${name}: p99 ÷ p50 at half of the highest rate, ${operation}, etcd ${release}`,
      figure: `etcd ${release}: ${operation} at half of the highest rate, ${name}, p99 ÷ p50`,
      aim: 3,
      better: /** @type {const} */ ("less"),
    })),
  ),
];

/** @param {readonly Figure[]} figures @returns {string} Markdown */
export function targetsTable(figures) {
  const rows = TARGETS.map(({ name, figure, aim, better = "more" }) => {
    const bound = `${better === "more" ? "≥" : "≤"} ${aim}`;
    const value = figures.find((each) => each.name === figure)?.value;
    if (value === undefined) return [name, bound, "not measured", ""];
    const isReached = better === "more" ? value >= aim : value <= aim;
    const shown = value.toFixed(value >= 100 ? 0 : 2);
    return [name, bound, shown, isReached ? "reached" : "**not reached**"];
  });
  return table(["target", "aim", "measured", ""], rows);
}
