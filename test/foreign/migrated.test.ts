/**
 * The way of an application that leaves etcd v2: its data are migrated to a v3 cluster, a gateway is
 * started with `--endpoints` alone, and clients of the v2 API go on with their migrated keys.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { etcdnet } from "../cli/etcdnet.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { type EtcdLoad, measureLoad, returnsTo } from "./etcd-load.js";
import { EtcdctlRunner, findEtcdctl } from "./etcdctl.js";
import { buildGoTests, GO_MIGRATED_TEST } from "./go-client.js";
import { useEtcdctl, useNodeEtcd } from "./migrated-clients.js";
import { countFiles, directoryOf, fillTree, type ShownNode } from "./migrated-tree.js";
import { itWith } from "./missing.js";
import { findNodeEtcd } from "./node-etcd.js";
import { installPythonEtcd, runPython } from "./python-etcd.js";
import { type Outcome, run } from "./run.js";

const IS_SOAK = process.env.GATEWAY_KEYS !== undefined;
const KEYS = Number(process.env.GATEWAY_KEYS ?? 2_000);
const LIMIT = 60_000 + KEYS * 5;
const CLIENTS = ["etcdctl", "go", "node", "python"];
const PYTHON_TEST = join(import.meta.dirname, "python", "migrated_test.py");
/** Of etcd, for the connections and watches of a gateway that nobody uses. */
const GOROUTINES_OF_GATEWAY = 50;

describeWithEtcd("3.5", "from the v2 API of etcd 3.5", () => {
  describeWithEtcd("3.7", `to a gateway before etcd 3.7, with ${KEYS} keys,`, () => {
    let etcd: EtcdCluster;
    let atRest: EtcdLoad;
    let gateway: Cli;
    let url: string;

    beforeAll(async () => {
      buildIfStale();
      etcd = await startEtcd({ release: "3.7", args: ["--quota-backend-bytes=4294967296"] });
      await migrateTo(etcd.urls[0]);
      atRest = await measureLoad(etcd.urls[0]);
      gateway = new Cli("gateway", "--port", "0", "--endpoints", etcd.urls[0]);
      url = await gateway.url();
    }, LIMIT);
    afterAll(async () => {
      await gateway?.[Symbol.asyncDispose]();
      await etcd?.stop();
    });

    describe.concurrent("a client goes on with its keys:", () => {
      itWith(findEtcdctl(), "etcdctl", (program) =>
        timed("etcdctl", useEtcdctl(new EtcdctlRunner(program, () => ({ urls: [url] })))),
      );

      itWith(findNodeEtcd(), "node-etcd", ({ NodeEtcd }) =>
        timed("node-etcd", useNodeEtcd(new NodeEtcd([url]))),
      );

      itWith(buildGoTests(), "etcd's Go client", async (program) => {
        const env = { ETCD_URL: url, ETCD_MIGRATED: directoryOf("go") };
        const args = ["-test.v", "-test.run", GO_MIGRATED_TEST];
        expectSuccess(await timed("Go client", run(program, args, { env })));
      });

      itWith(installPythonEtcd(), "python-etcd", async (packages) => {
        const env = { ETCD_URL: url, ETCD_MIGRATED: directoryOf("python") };
        expectSuccess(await timed("python-etcd", runPython(PYTHON_TEST, packages, env)));
      });
    });

    it(
      "the root, a wide directory and the whole tree are listed",
      async () => {
        const { nodes = [] } = await list(url, "/");
        expect(nodes.map(({ key }) => key).sort()).toEqual(["/apps", "/deep", "/session", "/wide"]);
        expect((await list(url, "/wide?sorted=true")).nodes).toHaveLength((KEYS * 3) / 4);
        expect(countFiles(await list(url, "/?recursive=true"))).toBeGreaterThan(KEYS);
        report("peak memory of the gateway", await peakMemoryOf(gateway));
      },
      LIMIT,
    );

    it(
      "etcd does no more than it did before",
      async () => {
        const used = await returnsTo(atRest, etcd.urls[0], GOROUTINES_OF_GATEWAY);
        gateway.kill("SIGTERM");
        expect(await gateway.exit).toBe(0);
        const left = await returnsTo(atRest, etcd.urls[0], 0);
        report("etcd at rest, with an idle gateway, without", [atRest, used, left]);
      },
      LIMIT,
    );
  });
});

/** Migrates a tree of an etcd that serves v2, as an operator does. */
async function migrateTo(target: string): Promise<void> {
  await using source = await startEtcd({ release: "3.5", args: ["--snapshot-count=20000"] });
  await timed("filling the source", fillTree(source.urls, CLIENTS, KEYS));
  const sides = ["--from", source.urls[0], "--to", target, "--to-api", "v3"];
  expectSuccess(await timed("migrate", etcdnet(["migrate", ...sides])));
  expectSuccess(await timed("migrate --verify", etcdnet(["migrate", ...sides, "--verify"])));
}

async function list(url: string, key: string): Promise<ShownNode> {
  const listing = fetch(`${url}/v2/keys${key}`).then((answer) => answer.json());
  const { node } = (await timed(`GET ${key}`, listing)) as { readonly node: ShownNode };
  return node;
}

function expectSuccess({ code, stdout, stderr }: Outcome): void {
  if (code !== 0) expect.fail(stdout + stderr);
}

async function timed<T>(what: string, work: Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work;
  report(what, `${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

function report(what: string, value: unknown): void {
  if (IS_SOAK) console.log(`${what}:`, value);
}

async function peakMemoryOf({ process: { pid } }: Cli): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return /^VmHWM:\s*(.*)$/m.exec(status)?.[1];
}
