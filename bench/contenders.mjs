// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../scripts/project.mjs";

/**
 * A client to measure.
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {string[]} command of its worker; the server's URL is added
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [watches] whether its worker can watch
 * @property {() => void} [install] throws when this machine lacks what it needs
 */

/** The yardstick: what the others' ratios refer to. */
export const BARE = "bare undici";
export const OWN = "etcdnet";
export const OWN_V3 = "etcdnet (v3 API)";
export const GO = "Go client/v2";
export const ETCD3 = "etcd3 1.1 (v3 API)";

const folder = join(root, "bench");
const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
const goProgram = join(cache, "etcdnet", "bench-go");

/** @type {readonly Contender[]} */
export const contenders = [
  { name: BARE, command: worker("undici"), watches: true },
  { name: OWN, command: worker("etcdnet"), watches: true },
  { name: GO, command: [goProgram], install: buildGoProgram },
  { name: "node-etcd 7", command: worker("node-etcd"), install: installPackages },
  { name: ETCD3, command: worker("etcd3"), install: installPackages },
];

/** Who is measured by v3.mjs. @type {readonly Contender[]} */
export const v3Contenders = [
  { name: OWN_V3, command: worker("etcdnet-v3") },
  ...contenders.filter(({ name }) => name === GO || name === ETCD3),
];

/**
 * Another build of this client, to compare with the one in this clone.
 *
 * @param {string} dist its folder
 * @returns {Contender}
 */
export function otherBuild(dist) {
  const env = { ETCDNET_DIST: join(dist, "index.js") };
  return { name: `${OWN} in ${dist}`, command: worker("etcdnet"), env, watches: true };
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
  mkdirSync(dirname(goProgram), { recursive: true });
  must("go", ["build", "-o", goProgram, "."], join(folder, "go"));
}

/** @param {string} command @param {string[]} args @param {string} cwd */
function must(command, args, cwd) {
  const { error, status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error) throw new Error(`${command} does not run here: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args[0]} failed:\n${stderr}`);
}
