// @ts-check
/**
 * Runs clients against a hostile etcd: a real one, whose responses are changed or replaced by lies.
 *
 *     npm run fuzz:client -- [--exchanges=6000] [--seed=N] [--protocol=v2|grpc|json] [--only=N] [--go-on]
 *         [--lanes=16] [--node=PATH] [--flags=…]
 *
 * `v2` is the v2 API over HTTP/1.1, and over HTTP/2 for watches with TLS. `grpc` is the v3 API over
 * HTTP/2, `json` the v3 API over HTTP/1.1. The exchanges are divided among the protocols. Half of them
 * use the known lies, each with every call; the others use random lies.
 *
 * Each exchange is one call of the client, or a gateway on the hostile etcd. SECURITY.md lists what is
 * checked. A failure is printed with the seed and the exchange; `--only` runs one exchange again, and
 * `--go-on` continues after a failure. `--lanes` is the number of exchanges at the same time. `--node` is the Node that runs the clients, with `--flags`: with
 * `--flags=--stress-scavenge=20`, garbage is collected at unusual moments.
 */

import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { binary, build, run } from "./project.mjs";

const { values } = parseArgs({
  options: {
    exchanges: { type: "string", default: "6000" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    protocol: { type: "string", default: "" },
    only: { type: "string", default: "" },
    "go-on": { type: "boolean", default: false },
    lanes: { type: "string", default: "16" },
    node: { type: "string" },
    flags: { type: "string", default: "" },
  },
});

build();
console.log(`seed ${values.seed}`);
const protocols = values.protocol === "" ? 3 : 1;
const env = {
  ...process.env,
  FUZZ_EXCHANGES: String(Math.ceil(Number(values.exchanges) / protocols)),
  FUZZ_SEED: values.seed,
  FUZZ_PROTOCOL: values.protocol,
  FUZZ_ONLY: values.only,
  FUZZ_LANES: values.lanes,
  FUZZ_FLAGS: values.flags,
  ...(values["go-on"] && { FUZZ_GOES_ON: "1" }),
  ...(values.node && { FUZZ_NODE: values.node }),
};
const vitest = [binary("vitest"), "run", "test/hostile/client-fuzz", "--project=etcd"];
process.exit(run(process.execPath, [...vitest, "--disable-console-intercept"], env) ? 0 : 1);
