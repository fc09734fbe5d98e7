import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale, root } from "../../scripts/project.mjs";
import { itWith } from "../foreign/missing.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { expectGatewayRuns } from "./running.js";
import { findOnPath, print } from "./tools.js";

const FOLDER = join(root, "deploy/systemd");
const UNIT = "etcdnet-gateway.service";
const ENVIRONMENT = readFileSync(join(FOLDER, "gateway.env"), "utf8");
const unit = readFileSync(join(FOLDER, UNIT), "utf8");
const analyze = findOnPath("systemd-analyze", "--version");
/** Of 10. The unit has 1.3 with systemd 252. */
const MAX_EXPOSURE = 2;

describe("deploy/systemd", () => {
  let folder = "";
  beforeAll(() => {
    buildIfStale();
    folder = mkdtempSync(join(tmpdir(), "etcdnet-systemd-"));
    // systemd-analyze demands that the program exists.
    const here = unit.replaceAll("/usr/local/bin/etcdnet", process.execPath);
    writeFileSync(join(folder, UNIT), here);
    mkdirSync(join(folder, `${UNIT}.d`));
    const secrets = readFileSync(join(FOLDER, "secrets.conf"));
    writeFileSync(join(folder, `${UNIT}.d/secrets.conf`), secrets);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  itWith(analyze, "has a unit and a drop-in without errors", async (program) => {
    const env = { SYSTEMD_UNIT_PATH: `${folder}:` };
    const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const printed = await print("env", ...assignments, program, "verify", join(folder, UNIT));
    expect(printed).toBe("");
  });

  itWith(analyze, "has a unit that gives the gateway few rights", async (program) => {
    const threshold = `--threshold=${MAX_EXPOSURE * 10}`;
    await print(program, "security", "--offline=true", threshold, join(folder, UNIT));
  });

  it("starts the gateway with nothing but variables", () => {
    expect(/^ExecStart=(.*)$/m.exec(unit)?.[1]).toBe("/usr/local/bin/etcdnet gateway");
    expect(unit).toContain("\nEnvironmentFile=/etc/etcdnet/gateway.env\n");
  });

  describeWithEtcd("3.6", "gateway.env", () => {
    it("configures a gateway, with its examples in comments known too", async () => {
      await using etcd = await startEtcd({ release: "3.6" });
      const { ETCDNET_PORT: _, ...set } = parsed(ENVIRONMENT);
      await expectGatewayRuns(set, etcd.urls);
    });
  });

  function parsed(text: string): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(parseEnv(text)).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ),
    );
  }

  it("gives no example of a variable that does not exist", async () => {
    const help = await print(process.execPath, join(root, "dist/cli/main.js"), "gateway", "--help");
    const files = [ENVIRONMENT, readFileSync(join(FOLDER, "secrets.conf"), "utf8")];
    const names = files.flatMap((file) => file.match(/\bETCDNET_\w+(?==)/g) ?? []);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(help).toContain(name);
  });
});
