// @ts-check
/**
 * Compares clients of etcd under the same connection faults; docs/reliability.md says what is counted:
 *
 *     npm run league -- [--only REGEXP] [--write]
 *
 * `--only` chooses lines such as "node-etcd 7.0.0, v2: gap". `--write` replaces the tables of the page.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build, installPackages, must, root } from "./project.mjs";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    write: { type: "boolean", default: false },
  },
});

installPackages();
build();
const { runnerImport } = await import("vite");
must(process.execPath, ["scripts/etcd-binaries.mjs", "3.5", "3.7"]);
/** @type {{ module: typeof import("../test/league/league.js") }} */
const { module } = await runnerImport(join(root, "test/league/league.ts"), {
  esbuild: { target: "node20" },
});
await module.runLeague(new RegExp(values.only), values.write);
