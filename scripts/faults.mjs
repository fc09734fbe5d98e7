// @ts-check
/**
 * Runs clients against real clusters while nemeses kill, stop and disconnect their parts, and judges
 * what the clients saw:
 *
 *     npm run faults -- [--system=v2|v3|gateway|cutover|all] [--minutes=10] [--nemesis=NAME,…|all|mixed]
 *                       [--seed=N] [--release=3.5] [--rate=100] [--out=DIR] [--write] [--plant=NAME]
 *                       [--safe] [--return]
 *
 * docs/reliability.md describes the nemeses, the workloads and the table that it prints.
 */

import { randomInt } from "node:crypto";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { binary, must, run } from "./project.mjs";

const { values } = parseArgs({
  options: {
    system: { type: "string", default: "all" },
    minutes: { type: "string", default: "10" },
    nemesis: { type: "string", default: "all" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    release: { type: "string" },
    rate: { type: "string" },
    out: { type: "string" },
    write: { type: "boolean", default: false },
    plant: { type: "string" },
    safe: { type: "boolean", default: false },
    return: { type: "boolean", default: false },
  },
});

must(process.execPath, ["scripts/etcd-binaries.mjs", "3.4", "3.5", "3.6", "3.7"]);
const out = values.out === undefined ? undefined : resolve(values.out);
const variables = Object.entries({ ...values, out })
  .filter(([, value]) => value !== undefined)
  .map(([name, value]) => [`FAULTS_${name.toUpperCase()}`, String(value)]);
const env = { ...process.env, CI: "true", ...Object.fromEntries(variables) };
const vitest = [binary("vitest"), "run", "test/faults/faults.test.ts", "--project=etcd"];
const asItComes = "--disable-console-intercept";
process.exit(run(process.execPath, [...vitest, asItComes], env) ? 0 : 1);
