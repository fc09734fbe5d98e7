// @ts-check
/**
 * Sends random requests to a real etcd 3.4 and to our server and compares every answer:
 *
 *     npm run fuzz -- [--requests=100000] [--seed=N] [--expiries=40] [--path=P]
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
  },
});

must(process.execPath, ["scripts/etcd-binaries.mjs", "3.4"]);
const env = {
  ...process.env,
  CI: "true",
  FUZZ_REQUESTS: values.requests,
  FUZZ_SEED: values.seed,
  FUZZ_EXPIRIES: values.expiries,
  FUZZ_PATH: values.path,
};
const vitest = [binary("vitest"), "run", "test/fuzz/differential", "--project=etcd"];
const asItComes = "--disable-console-intercept";
process.exit(run(process.execPath, [...vitest, asItComes], env) ? 0 : 1);
