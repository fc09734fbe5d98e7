// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../scripts/project.mjs";
import { mode } from "./measured.mjs";

/**
 * A client to measure.
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {"v2" | "v3"} api
 * @property {boolean} [isGateway] whether it is measured on a gateway before etcd, not on etcd
 * @property {string[]} command of its worker; the server's URL is added
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [watches] whether its worker can watch
 * @property {() => void} [install] throws when this machine lacks what it needs
 */

/** The yardstick: what the others' ratios refer to. */
export const BARE = "bare undici";
export const OWN = "etcdnet";
export const OWN_V2 = "etcdnet, etcd's own v2";
export const OWN_V3 = "etcdnet, v3 API";
export const GATEWAY = "etcdnet, gateway";
export const GO = "Go client/v2";
export const GO_GATEWAY = "Go client/v2, gateway";
export const GO_V3 = "Go clientv3";
export const GO_BATCH = "Go clientv3, batched by hand";
export const ETCD3 = "etcd3 1.1, v3 API";

const folder = join(root, "bench");
const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
const goProgram = join(cache, "etcdnet", "bench-go");

/** On the v2 API of etcd 3.4, but for one. @type {readonly Contender[]} */
export const contenders = [
  { name: BARE, api: "v2", command: worker("undici"), watches: true },
  { name: OWN, api: "v2", command: worker("etcdnet"), watches: true },
  { name: GO, api: "v2", command: [goProgram, "v2"], install: buildGoProgram },
  { name: "node-etcd 7", api: "v2", command: worker("node-etcd"), install: installPackages },
  { name: ETCD3, api: "v3", command: worker("etcd3"), install: installPackages },
];

/** On the v3 API, or on a gateway before it. @type {readonly Contender[]} */
export const v3Contenders = [
  { name: OWN_V3, api: "v3", command: worker("etcdnet-v3") },
  { name: GATEWAY, api: "v2", command: worker("etcdnet"), isGateway: true },
  {
    name: GO_GATEWAY,
    api: "v2",
    command: [goProgram, "v2"],
    isGateway: true,
    install: buildGoProgram,
  },
  { name: GO_V3, api: "v3", command: [goProgram, "v3"], install: buildGoProgram },
  {
    name: "Go clientv3, a txn each",
    api: "v3",
    command: [goProgram, "v3-txn"],
    install: buildGoProgram,
  },
  { name: GO_BATCH, api: "v3", command: [goProgram, "v3-batch"], install: buildGoProgram },
  { name: ETCD3, api: "v3", command: worker("etcd3"), install: installPackages },
];

/** Those whose programs and packages this machine has. @param {readonly Contender[]} candidates */
export function installed(candidates) {
  return candidates.filter(({ name, install }) => {
    try {
      install?.();
      return true;
    } catch (error) {
      console.error(`${name} is left out: ${error instanceof Error ? error.message : error}`);
      return false;
    }
  });
}

/**
 * Another build of this client, to compare with the one in this clone.
 *
 * @param {string} dist its folder
 * @returns {Contender}
 */
export function otherBuild(dist) {
  const env = { ETCDNET_DIST: join(dist, "index.js") };
  return { name: `${OWN} in ${dist}`, api: "v2", command: worker("etcdnet"), env, watches: true };
}

/** @param {string} client @returns {string[]} */
function worker(client) {
  return [process.execPath, "--expose-gc", join(folder, "worker.mjs"), client];
}

/** The packages that bench/package-lock.json names. */
function installPackages() {
  const installed = join(folder, "node_modules", ".package-lock.json");
  const lock = join(folder, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  must("npm", ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"], folder);
}

function buildGoProgram() {
  // The first build of its modules takes half a minute of CPU time.
  if (mode() === "check" && !existsSync(goProgram)) throw new Error("npm run bench builds it");
  mkdirSync(dirname(goProgram), { recursive: true });
  must("go", ["build", "-o", goProgram, "."], join(folder, "go"));
}

/** @param {string} command @param {string[]} args @param {string} cwd */
function must(command, args, cwd) {
  const { error, status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error) throw new Error(`${command} does not run here: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args[0]} failed:\n${stderr}`);
}
