/** The clients of the league: which server each one uses, and how its driver is started. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { installed, type Missing, must } from "../foreign/install.js";
import { findNodeEtcd } from "../foreign/node-etcd.js";
import { installPythonEtcd } from "../foreign/python-etcd.js";
import type { DriverCommand } from "./driver.js";
import type { ServerKind } from "./test-bed.js";

export interface LeagueClient {
  /** Name and version. */
  readonly name: string;
  readonly server: ServerKind;
  /** Installs the client if it is not there yet. */
  install(): DriverCommand | Missing;
}

const DRIVERS = join(import.meta.dirname, "drivers");
const GO_MODULE = join(DRIVERS, "go");
const ETCD3 = "1.1.2";
const GRPC_JS = "1.14.7";

const NAME = `etcdnet ${versionIn(join(import.meta.dirname, "..", ".."))}`;
export const OWN_V2: LeagueClient = { name: NAME, server: "v2", install: () => ownDriver("v2") };

export const CLIENTS: readonly LeagueClient[] = [
  { name: "node-etcd 7.0.0", server: "v2", install: installNodeEtcd },
  { name: "python-etcd 0.4.5, urllib3 1.26.20", server: "v2", install: pythonDriver },
  { name: `Go client/v2 ${requiredByGo("v2")}`, server: "v2", install: () => goDriver("v2") },
  OWN_V2,
  { name: `etcd3 ${ETCD3}, grpc-js ${GRPC_JS}`, server: "v3", install: installEtcd3 },
  { name: `Go client/v3 ${requiredByGo("v3")}`, server: "v3", install: () => goDriver("v3") },
  { name: NAME, server: "v3", install: () => ownDriver("v3") },
  { name: NAME, server: "gateway", install: () => ownDriver("v2") },
  { name: NAME, server: "behind gateway", install: () => ownDriver("v2") },
];

function ownDriver(api: "v2" | "v3"): DriverCommand {
  return nodeDriver("etcdnet", api);
}

function nodeDriver(name: string, argument: string): DriverCommand {
  return { file: process.execPath, args: [join(DRIVERS, `${name}.mjs`), argument] };
}

function installNodeEtcd(): DriverCommand | Missing {
  const found = findNodeEtcd();
  return "missing" in found ? found : nodeDriver("node-etcd", found.directory);
}

function installEtcd3(): DriverCommand | Missing {
  const directory = installed(`etcd3-${ETCD3}-grpc-js-${GRPC_JS}`, (work) => {
    const packages = [`etcd3@${ETCD3}`, `@grpc/grpc-js@${GRPC_JS}`];
    must("npm", ["install", "--no-audit", "--no-fund", "--prefix", ".", ...packages], {
      cwd: work,
    });
  });
  return typeof directory === "string" ? nodeDriver("etcd3", directory) : directory;
}

function pythonDriver(): DriverCommand | Missing {
  const packages = installPythonEtcd();
  if (typeof packages !== "string") return packages;
  const env = { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1" };
  return { file: "python3", args: ["-W", "ignore", join(DRIVERS, "python_etcd.py")], env };
}

/** One program for both of etcd's clients. It is built again when one of its sources changes. */
function goDriver(api: "v2" | "v3"): DriverCommand | Missing {
  const sources = readdirSync(GO_MODULE).map((name) => readFileSync(join(GO_MODULE, name), "utf8"));
  const version = createHash("sha256").update(sources.join("\0")).digest("hex").slice(0, 12);
  const directory = installed(`league-go-${version}`, (work) => {
    const env = { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly" };
    must("go", ["build", "-o", join(work, "driver"), "."], { cwd: GO_MODULE, env });
  });
  if (typeof directory !== "string") return directory;
  return { file: join(directory, "driver"), args: [api] };
}

function requiredByGo(api: "v2" | "v3"): string {
  const module = readFileSync(join(GO_MODULE, "go.mod"), "utf8");
  return RegExp(`client/${api} v(\\S+)`).exec(module)?.[1] ?? "";
}

function versionIn(directory: string): string {
  return JSON.parse(readFileSync(join(directory, "package.json"), "utf8")).version;
}
