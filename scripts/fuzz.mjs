// @ts-check
/**
 * Sends random requests to a real etcd 3.4 and to our server and compares every answer:
 *
 *     npm run fuzz -- [--requests=100000] [--seed=N] [--expiries=40] [--path=P] [--gateway]
 *
 * With `--gateway`, ours is a gateway on the v3 API of an etcd 3.7, without TTLs that run out; then one on the v2 API of
 * an etcd 3.4.
 *
 * Prints how far it is and, at the end, what was sent and answered how often. When the two differ,
 * it prints the smallest sequence of requests that it finds for that, with the seed and the path
 * that lead straight to it again.
 */

import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { binary, must, run } from "./project.mjs";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    expiries: { type: "string", default: "40" },
    path: { type: "string", default: "" },
    gateway: { type: "boolean", default: false },
  },
});

const releases = values.gateway ? ["3.4", "3.7"] : ["3.4"];
must(process.execPath, ["scripts/etcd-binaries.mjs", ...releases]);
const env = {
  ...process.env,
  CI: "true",
  FUZZ_REQUESTS: values.requests,
  FUZZ_SEED: values.seed,
  FUZZ_EXPIRIES: values.expiries,
  FUZZ_PATH: values.path,
};
const suite = values.gateway ? "test/fuzz/gateway" : "test/fuzz/differential";
const vitest = [binary("vitest"), "run", suite, "--project=etcd"];
const asItComes = "--disable-console-intercept";
process.exit(run(process.execPath, [...vitest, asItComes], env) ? 0 : 1);
