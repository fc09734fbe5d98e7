import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { isMissing } from "../foreign/missing.js";
import { run } from "../foreign/run.js";
import type { Application } from "./application.js";
import { finish, launch, linesOf, printsMore } from "./program.js";
import { installWithPythonEtcd, pythonEnv } from "./python.js";

const WORKER = join(import.meta.dirname, "python/conftool_worker.py");
const WEIGHED = /^weight \d+$/;

/** conftool: a process that changes a node's weight, and the command `confctl`, which reads it. */
export const conftool: Application = {
  name: "conftool 6.1.0: a process that changes nodes, and confctl",
  install() {
    const packages = installWithPythonEtcd("conftool-6.1.0", ["conftool==6.1.0"]);
    if (isMissing(packages)) return packages;
    return async ({ urls }) => {
      const directory = mkdtempSync(join(tmpdir(), "etcdnet-conftool-"));
      const config = join(directory, "config.yaml");
      await writeConfiguration(directory, config, new URL(urls[0]));
      const env = pythonEnv(packages);
      const worker = launch("python3", [WORKER, config], { env });
      const confctl = (...args: readonly string[]) =>
        run("python3", [join(packages, "bin/confctl"), "--config", config, ...args], { env });
      return {
        goesOn: () => printsMore(worker, WEIGHED),
        async finish() {
          await finish(worker);
          const last = linesOf(worker, WEIGHED).at(-1)?.split(" ")[1];
          const set = await confctl("select", "name=web1", "set/pooled=yes");
          expect(set).toMatchObject({ code: 0 });
          const { stdout } = await confctl("select", "name=web1", "get");
          expect(stdout).toContain('"pooled": "yes"');
          expect(stdout).toContain(`"weight": ${last}`);
          rmSync(directory, { recursive: true });
        },
      };
    };
  },
};

async function writeConfiguration(directory: string, config: string, { hostname, port }: URL) {
  const etcdrc = join(directory, "etcdrc");
  await writeFile(etcdrc, `host: ${hostname}\nport: ${port}\nallow_reconnect: true\n`);
  const options = { etcd_config_file: etcdrc, suppress_san_warnings: false };
  await writeFile(config, JSON.stringify({ driver: "etcd", driver_options: options }));
}
