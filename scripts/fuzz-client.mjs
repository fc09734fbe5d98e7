// @ts-check
/**
 * Runs clients against servers that answer at random, over HTTP/1 and over HTTP/2:
 *
 *     npm run fuzz:client -- [--exchanges=5000] [--seed=N] [--protocol=http1|http2] [--only=N]
 *         [--node=PATH] [--flags=…]
 *
 * Every call must end in time and with a documented error, and the process of the clients must neither
 * die nor stay. A failure is printed with the seed and the exchanges during which it happened; `--only`
 * runs one of them again. `--node` is the Node that runs the clients, with `--flags`: with
 * `--flags=--stress-scavenge=20`, garbage is collected at unusual moments.
 */

import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { binary, build, run } from "./project.mjs";

const { values } = parseArgs({
  options: {
    exchanges: { type: "string", default: "5000" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    protocol: { type: "string", default: "" },
    only: { type: "string", default: "" },
    node: { type: "string" },
    flags: { type: "string", default: "" },
  },
});

build();
console.log(`seed ${values.seed}`);
const env = {
  ...process.env,
  FUZZ_EXCHANGES: values.exchanges,
  FUZZ_SEED: values.seed,
  FUZZ_PROTOCOL: values.protocol,
  FUZZ_ONLY: values.only,
  FUZZ_FLAGS: values.flags,
  ...(values.node && { FUZZ_NODE: values.node }),
};
const vitest = [binary("vitest"), "run", "test/hostile/client-fuzz", "--project=etcd"];
process.exit(run(process.execPath, [...vitest, "--disable-console-intercept"], env) ? 0 : 1);
