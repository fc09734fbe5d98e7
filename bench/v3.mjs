// @ts-check
/**
 * Measures the client on the v3 API beside etcd3 on the same, and beside Go's client/v2 on the v2
 * API of the same etcd 3.4; docs/benchmarks.md says what and how.
 *
 *     node bench/v3.mjs [ROUNDS]
 */
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";
import { build, installPackages } from "../scripts/project.mjs";
import { ETCD3, GO, OWN_V3, v3Contenders } from "./contenders.mjs";
import { measureSpeed, nameOf } from "./measure.mjs";
import { figure } from "./measured.mjs";
import { ratio, runLine, speedTables } from "./report.mjs";

/** @typedef {import("./measure.mjs").Load} Load */

/** What is measured, and how many times the others' calls per second we mean to reach. */
const AIMS = /** @type {const} */ ([
  { load: { operation: "get", inFlight: 256 }, against: { [ETCD3]: 3, [GO]: 1 } },
  { load: { operation: "set", inFlight: 32 }, against: { [ETCD3]: 1.3 } },
]);

const rounds = Number(process.argv[2] ?? 7);
installPackages();
build();
for (const { install } of v3Contenders) install?.();
const etcd = ensureEtcd("3.4");
if ("missing" in etcd) throw new Error(`etcd 3.4: ${etcd.missing}`);
const server = await startEtcdProcess({ binary: etcd.path, v2: true });
try {
  /** @type {ReadonlyMap<Load, typeof v3Contenders>} */
  const loads = new Map(AIMS.map(({ load }) => [load, v3Contenders]));
  const speeds = await measureSpeed(server.url, loads, { rounds, warmUp: 2000, time: 1500 });
  console.log(await runLine(server.url, `node bench/v3.mjs ${rounds}`));
  console.log(`\n${speedTables(speeds)}\n`);
  for (const { load, against } of AIMS) {
    for (const [name, aim] of Object.entries(against)) {
      const reached = ratio(speeds.get(load) ?? new Map(), OWN_V3, name, ({ rate }) => rate);
      console.log(`${nameOf(load)}: ${reached} times ${name} (aim: ${aim})`);
      figure(`v3: ${nameOf(load)}, calls/s ÷ ${name}`, Number(reached));
    }
  }
} finally {
  await server.remove();
}
