/** Runs every command of docs/runbook.md on real clusters that have the fault of its section. */

import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { findEtcd } from "../scripts/etcd-binaries.mjs";
import type { PemPair } from "../scripts/etcd-process.mjs";
import { buildIfStale } from "../scripts/project.mjs";
import { createGateway, type Gateway } from "../src/server/index.js";
import { findEtcdctl } from "./foreign/etcdctl.js";
import { isMissing, reportMissing } from "./foreign/missing.js";
import { run } from "./foreign/run.js";
import { expiredServerCertificate, serverCertificate } from "./support/certificates.js";
import { Cli, MAIN } from "./support/cli-process.js";
import { type EtcdCluster, type EtcdOptions, startEtcd } from "./support/etcd.js";
import { ShellSession, shellBlocks } from "./support/shell-blocks.js";
import { V3Tool } from "./v3/v3-tools.js";

const sections = shellBlocks("docs/runbook.md");
const etcdctl = findEtcdctl();
const MIB = 2 ** 20;

if (isMissing(etcdctl)) reportMissing("the commands of the runbook", etcdctl);
else runbookTests(etcdctl.path);

function runbookTests(etcdctlPath: string): void {
  let folder = "";
  beforeAll(() => {
    buildIfStale();
    folder = mkdtempSync(join(tmpdir(), "etcdnet-runbook-"));
    const etcdnet = join(folder, "etcdnet");
    writeFileSync(etcdnet, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
    chmodSync(etcdnet, 0o755);
    if (dirname(etcdctlPath) !== ".") symlinkSync(etcdctlPath, join(folder, "etcdctl"));
    writeFileSync(join(folder, "root-password"), "secret\n");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  interface Target {
    readonly urls: readonly string[];
    readonly gateway: Pick<Gateway, "url">;
    readonly variables?: NodeJS.ProcessEnv;
  }

  /** Runs the commands of a section before a gateway and its cluster. */
  async function follow(
    section: string,
    { urls, gateway, variables }: Target,
    steps: (shell: ShellSession) => Promise<void>,
  ): Promise<void> {
    const shell = new ShellSession(sections.get(section) ?? [], folder, {
      PATH: [folder, process.env.PATH].join(delimiter),
      ETCDCTL_API: "3",
      ETCDCTL_ENDPOINTS: urls.join(),
      GATEWAY: gateway.url,
      ...variables,
    });
    await steps(shell);
    expect(shell.isComplete, "every command of the section was run").toBe(true);
  }

  interface Stage extends AsyncDisposable {
    readonly etcd: EtcdCluster;
    readonly urls: readonly string[];
    readonly gateway: Gateway;
  }

  async function stage(options: Partial<EtcdOptions> = {}): Promise<Stage> {
    const etcd = await startEtcd({ release: "3.6", ...options });
    const gateway = await createGateway({ etcd: { endpoints: etcd.urls } });
    await vi.waitUntil(async () => (await fetch(`${gateway.url}/readyz`)).ok, { timeout: 60_000 });
    const end = async (): Promise<void> => {
      await gateway.close();
      await etcd.stop();
    };
    return { etcd, urls: etcd.urls, gateway, [Symbol.asyncDispose]: end };
  }

  async function set(gateway: Gateway, value: string): Promise<number> {
    const body = new URLSearchParams({ value });
    return (await fetch(`${gateway.url}/v2/keys/runbook`, { method: "PUT", body })).status;
  }

  async function tool<T>(urls: readonly string[], use: (tool: V3Tool) => Promise<T>): Promise<T> {
    const v3 = new V3Tool(urls);
    try {
      return await use(v3);
    } finally {
      v3.close();
    }
  }

  /** Starts etcd 3.6 on a data directory of 3.5; returns its log, in which it says why it ends. */
  async function refusalOf36(dataDir: string): Promise<string> {
    const etcd = findEtcd("3.6");
    if ("missing" in etcd) throw new Error(etcd.missing);
    const listen = ["--listen-client-urls", "--advertise-client-urls", "--listen-peer-urls"];
    const args = ["--data-dir", dataDir, ...listen.flatMap((flag) => [flag, "http://127.0.0.1:0"])];
    const { code, stderr } = await run(etcd.path, args);
    expect(code).not.toBe(0);
    return stderr;
  }

  const scenarios: Readonly<Record<string, () => Promise<void>>> = {
    "": async () => {
      await using own = await stage();
      await follow("", own, async (shell) => {
        await shell.next();
        await shell.next();
      });
    },

    "Error 300": async () => {
      await using own = await stage();
      const [member] = own.etcd.members;
      await follow("Error 300", own, async (shell) => {
        await member.kill();
        await shell.next();
        await shell.next();
        await member.start();
        await shell.untilNext();
      });
    },

    "Error 401": async () => {
      await using etcd = await startEtcd({ release: "3.6" });
      await tool(etcd.urls, async (v3) => {
        for (const value of ["1", "2", "3"]) await v3.put("/runbook", value);
        await v3.ask("kv/compaction", { revision: "4" });
      });
      await using gateway = await createGateway({ etcd: { endpoints: etcd.urls } });
      await follow("Error 401", { urls: etcd.urls, gateway }, async (shell) => {
        await shell.next();
        await shell.next();
      });
    },

    "Watches lag": async () => {
      await using own = await stage();
      await follow("Watches lag", own, (shell) => shell.next());
    },

    "No space": async () => {
      const args = [`--quota-backend-bytes=${4 * MIB}`];
      await using own = await stage({ args });
      const large = "x".repeat(MIB);
      await vi.waitUntil(async () => (await set(own.gateway, large)) === 500, { timeout: 60_000 });
      await follow("No space", own, async (shell) => {
        await shell.next();
        await shell.next();
        await shell.untilNext();
      });
    },

    "A member hangs": async () => {
      await using own = await stage({ members: 3 });
      const member = own.etcd.members[2];
      if (member === undefined) throw new Error("there are three members");
      await follow("A member hangs", own, async (shell) => {
        member.pause();
        await shell.untilNext();
        await shell.untilNext();
        await shell.next();
        member.resume();
        await shell.untilNext();
      });
    },

    "Lost auth": async () => {
      await using own = await stage();
      await follow("Lost auth", own, async (shell) => {
        await shell.next();
        await shell.next();
        await shell.next();
      });
    },

    "Clock skew": async () => {
      await using own = await stage();
      await follow("Clock skew", own, (shell) => shell.next());
    },

    "Certificates expire": async () => {
      await using etcd = await startEtcd({ release: "3.6" });
      const replace = ({ cert, key }: PemPair): void => {
        writeFileSync(join(folder, "listen.pem"), cert);
        writeFileSync(join(folder, "listen.key"), key);
      };
      replace(expiredServerCertificate());
      await using cli = new Cli("gateway", "--port", "0", {
        ETCDNET_ENDPOINTS: etcd.urls.join(),
        ETCDNET_LISTEN_CERT: join(folder, "listen.pem"),
        ETCDNET_LISTEN_KEY: join(folder, "listen.key"),
      });
      const target = { urls: etcd.urls, gateway: { url: await cli.url() } };
      await follow("Certificates expire", target, async (shell) => {
        await shell.next();
        replace(serverCertificate());
        cli.kill("SIGHUP");
        await shell.untilNext();
      });
    },

    "The gateway does not start": async () => {
      await using own = await stage();
      await tool(own.urls, async (v3) => {
        await v3.ask("auth/user/add", { name: "root", password: "other" });
        await v3.ask("auth/user/grant", { user: "root", role: "root" });
        await v3.ask("auth/enable", {});
      });
      await follow("The gateway does not start", own, async (shell) => {
        await shell.next();
        await shell.next();
      });
    },

    "etcd 3.6 refuses the data": async () => {
      await using old = await startEtcd({ release: "3.5" });
      const [member] = old.members;
      const body = new URLSearchParams({ value: "blue" });
      await fetch(`${member.url}/v2/keys/app/config`, { method: "PUT", body });
      await member.stop();
      const message = "panic: detected disallowed v2 WAL for stage --v2-deprecation=write-only";
      expect(await refusalOf36(member.dataDir)).toContain(message);
      expect(readFileSync("docs/runbook.md", "utf8")).toContain(`\n${message}\n`);
      await member.start();
      await using own = await stage();
      const variables = { OLD: member.url };
      await follow("etcd 3.6 refuses the data", { ...own, variables }, async (shell) => {
        await shell.next();
        await shell.next();
        await shell.next();
      });
    },
  };

  it("there is a scenario for each section with commands", () => {
    const headings = [...sections].filter(([, blocks]) => blocks.length > 0).map(([name]) => name);
    expect(Object.keys(scenarios)).toEqual(headings);
  });

  describe("the commands of the runbook", () => {
    it.concurrent.each(Object.entries(scenarios))("work with the symptom: %s", (_, scenario) =>
      scenario(),
    );
  });
}
