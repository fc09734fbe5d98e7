import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { freePort } from "../../scripts/etcd-process.mjs";
import { buildIfStale, root } from "../../scripts/project.mjs";
import { itWith } from "../foreign/missing.js";
import { run } from "../foreign/run.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { plainEnvironment } from "../support/plain-environment.js";
import { buildImage, type Stage } from "./image.js";
import { expectGatewayRuns, optionsOfEtcd } from "./running.js";
import { buildValidator, feed, findHadolint, print } from "./tools.js";

const FOLDER = join(root, "deploy/docker");
const DOCKERFILE = join(FOLDER, "Dockerfile");
const COMPOSE = join(FOLDER, "compose.yaml");
const hadolint = findHadolint();
const validator = buildValidator();

interface Service {
  readonly environment: Readonly<Record<string, string>>;
  readonly image: string;
  readonly ports?: readonly string[];
}

const text = readFileSync(COMPOSE, "utf8");
const services: Readonly<Record<string, Service>> = parse(text, { merge: true }).services;
const [etcd1, etcd2, etcd3] = ["etcd1", "etcd2", "etcd3"].map((name) => services[name]);

describe("deploy/docker/Dockerfile", () => {
  itWith(hadolint, "has no problem that hadolint knows", async (program) => {
    await print(program, DOCKERFILE);
  });

  describe("executed in folders", () => {
    let folder = "";
    let image: Stage;
    const isComplete = process.env.ETCDNET_IMAGE === "true";

    beforeAll(async () => {
      buildIfStale();
      folder = mkdtempSync(join(tmpdir(), "etcdnet-image-"));
      chmodSync(folder, 0o755);
      const stages = isComplete ? {} : { build: (stage: Stage) => copyBuilt(stage) };
      if (!isComplete) console.warn("skipped the stage build; ETCDNET_IMAGE=true executes it");
      image = await buildImage(DOCKERFILE, folder, stages);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    function copyBuilt(stage: Stage): void {
      cpSync(join(root, "dist/cli"), stage.at("/src/dist/cli"), { recursive: true });
    }

    it("contains no development dependency", () => {
      expect(existsSync(image.at("/app/node_modules/undici"))).toBe(true);
      expect(existsSync(image.at("/app/node_modules/typescript"))).toBe(false);
    });

    describeWithEtcd("3.6", "before etcd 3.6", () => {
      it("runs as another user than root, becomes healthy, and ends on SIGTERM", async () => {
        await using etcd = await startEtcd({ release: "3.6" });
        const [uid, gid] = image.user.split(":").map(Number);
        expect(uid).toBeGreaterThan(0);
        const isRoot = process.getuid?.() === 0;
        if (!isRoot) console.warn("skipped the change of the user: only root can change it");
        const env = {
          ...plainEnvironment(),
          ...image.env,
          ETCDNET_PORT: `${await freePort()}`,
          ETCDNET_ENDPOINTS: etcd.urls[0],
        };
        const isHealthy = async (): Promise<number | null> => {
          const [program, ...args] = image.command(image.healthcheck);
          return (await run(program, args, { env })).code;
        };
        expect(await isHealthy()).toBe(1);
        const [program, ...args] = image.command([...image.entrypoint, ...image.cmd]);
        const child = spawn(program, args, { env, ...(isRoot && { uid, gid }), stdio: "pipe" });
        try {
          await once(child.stdout, "data");
          expect(await isHealthy()).toBe(0);
          child.kill("SIGTERM");
          expect(await once(child, "exit")).toEqual([0, null]);
        } finally {
          child.kill("SIGKILL");
        }
      });
    });
  });
});

describe("deploy/docker/compose.yaml", () => {
  itWith(validator, "follows the schema of Compose", async (program) => {
    await feed(text, program, "compose");
  });

  it("has a volume and URLs of its own for each member", () => {
    const members = [etcd1, etcd2, etcd3];
    const names = members.map((member) => member?.environment.ETCD_NAME);
    expect(names).toEqual(["etcd1", "etcd2", "etcd3"]);
    for (const member of members) {
      const { ETCD_NAME: name, ...env } = member?.environment ?? {};
      expect(env.ETCD_INITIAL_CLUSTER?.split(",")).toContain(
        `${name}=${env.ETCD_INITIAL_ADVERTISE_PEER_URLS}`,
      );
      expect(services.gateway1?.environment.ETCDNET_ENDPOINTS?.split(",")).toContain(
        env.ETCD_ADVERTISE_CLIENT_URLS,
      );
    }
  });

  it("advertises the ports of all gateways", () => {
    const published = ["gateway1", "gateway2"].flatMap((name) => services[name]?.ports ?? []);
    const urls = published.map((port) => `http://${port.replace(/:2379$/, "")}`);
    expect(services.gateway1?.environment.ETCDNET_ADVERTISE?.split(",")).toEqual(urls);
  });

  describeWithEtcd("3.6", "its services", () => {
    it("run with these options of etcd and of the gateway", async () => {
      const args = optionsOfEtcd(etcd1?.environment ?? {});
      await using etcd = await startEtcd({ release: "3.6", members: 3, args });
      await expectGatewayRuns(services.gateway1?.environment ?? {}, etcd.urls);
    });
  });
});
