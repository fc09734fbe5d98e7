// @ts-check
/**
 * The real etcd servers that tests and benchmarks run on: found on this machine, or fetched once
 * into a cache outside the clone, so that a clean clone builds nothing a second time.
 *
 *     node scripts/etcd-binaries.mjs [3.4 3.5 ...]
 */

import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** @typedef {"3.4" | "3.5" | "3.6" | "3.7"} Release */
/** @typedef {{ path: string, version: string }} Binary */
/** @typedef {{ missing: string }} Missing what is missing, and what to do about it */

/** @type {readonly Release[]} */
export const RELEASES = ["3.4", "3.5", "3.6", "3.7"];

/**
 * Exact versions, so that every machine tests the same server. etcd became a Go module that can be
 * built by its name with 3.5; 3.4 is the one of the Debian or Ubuntu package.
 *
 * @type {Readonly<Partial<Record<Release, string>>>}
 */
const BUILT_WITH_GO = { 3.5: "3.5.35", 3.6: "3.6.16", 3.7: "3.7.3" };

/** What these versions ask for. Go from 1.21 on fetches it by itself, unless GOTOOLCHAIN=local. */
const GO = "1.26.0";

/**
 * Looks for an etcd of this release and installs nothing. `ETCD_3_4=/path/to/etcd` (`ETCD_3_5`, …)
 * comes before all else; then the cache, then PATH.
 *
 * @param {Release} release
 * @returns {Binary | Missing}
 */
export function findEtcd(release) {
  const named = process.env[variable(release)];
  const candidates = named ? [named] : [...cached(release), ...onPath()];
  for (const path of candidates) {
    const version = versionOf(path);
    if (version?.startsWith(`${release}.`)) return { path, version };
  }
  return {
    missing: named
      ? `${variable(release)} names ${named}, which is not an etcd ${release}`
      : `not found: run \`node scripts/etcd-binaries.mjs ${release}\`, or ${orNameOne(release)}`,
  };
}

/**
 * Finds an etcd of this release, or downloads or builds it into the cache, which can take minutes.
 * Two processes may do so at once: a binary appears in the cache complete, by one rename.
 *
 * @param {Release} release
 * @returns {Binary | Missing}
 */
export function ensureEtcd(release) {
  const found = findEtcd(release);
  if (!("missing" in found) || process.env[variable(release)]) return found;
  mkdirSync(cacheDirectory(), { recursive: true });
  const work = mkdtempSync(join(cacheDirectory(), "work-"));
  try {
    return moveToCache(release, makeEtcd(release, work));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const means = BUILT_WITH_GO[release] ? `Go ${GO} builds it` : "apt-get offers it on Debian 12";
    return { missing: `${reason}; ${means}, or ${orNameOne(release)}` };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @param {Release} release @param {string} work an empty directory @returns {string} the binary */
function makeEtcd(release, work) {
  const version = BUILT_WITH_GO[release];
  return version === undefined ? unpackDebianPackage(work) : buildWithGo(version, work);
}

/**
 * `go install …/server/v3@version` refuses the replace directives of etcd's own go.mod, which do
 * not count when etcd is a dependency: so a module of our own requires that version.
 *
 * @param {string} version
 * @param {string} work
 */
function buildWithGo(version, work) {
  const server = "go.etcd.io/etcd/server/v3";
  progress(`building etcd ${version} with Go, which can take minutes`);
  const module = `module etcd\n\ngo ${GO}\n\nrequire ${server} v${version}\n`;
  writeFileSync(join(work, "go.mod"), module);
  const flags = ["-mod=mod", "-buildvcs=false", "-trimpath", "-ldflags=-s -w"];
  run("go", ["build", ...flags, "-o", "etcd", server], {
    cwd: work,
    env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" },
  });
  return join(work, "etcd");
}

/**
 * Downloaded and unpacked rather than installed: that needs no root, and starts no etcd service.
 *
 * @param {string} work
 */
function unpackDebianPackage(work) {
  progress("downloading the package etcd-server with apt-get");
  const download = () => run("apt-get", ["download", "etcd-server"], { cwd: work });
  try {
    download();
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    run("apt-get", ["update"]);
    download();
  }
  const archives = readdirSync(work).filter((name) => name.endsWith(".deb"));
  run("dpkg-deb", ["--extract", ...archives, "."], { cwd: work });
  return join(work, "usr/bin/etcd");
}

/** @param {Release} release @param {string} made @returns {Binary} */
function moveToCache(release, made) {
  const version = versionOf(made);
  if (!version?.startsWith(`${release}.`)) {
    throw new Error(`what this system offers is etcd ${version ?? "of no known version"}`);
  }
  const directory = join(cacheDirectory(), `etcd-${version}`);
  const path = join(directory, "etcd");
  mkdirSync(directory, { recursive: true });
  renameSync(made, path);
  return { path, version };
}

/** @param {Release} release */
function cached(release) {
  const exact = BUILT_WITH_GO[release];
  return cacheEntries()
    .filter((name) => (exact ? name === `etcd-${exact}` : name.startsWith(`etcd-${release}.`)))
    .map((name) => join(cacheDirectory(), name, "etcd"));
}

function cacheEntries() {
  const cache = cacheDirectory();
  return existsSync(cache) ? readdirSync(cache) : [];
}

function cacheDirectory() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "etcdnet");
}

function onPath() {
  const directories = (process.env.PATH ?? "").split(delimiter);
  return directories.map((directory) => join(directory, "etcd")).filter(existsSync);
}

/** Of each binary that was asked. Test files start hundreds of servers. @type {Map<string, string>} */
const versions = new Map();

/** @param {string} binary @returns {string | undefined} absent when this is no etcd that runs here */
function versionOf(binary) {
  const version = versions.get(binary) ?? askVersion(binary);
  if (version !== undefined) versions.set(binary, version);
  return version;
}

/** @param {string} binary */
function askVersion(binary) {
  // Without the variable, etcd 3.4 refuses to start at all on arm64.
  const env = { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch };
  const { stdout } = spawnSync(binary, ["--version"], { encoding: "utf8", env, timeout: 10_000 });
  return /^etcd Version: (\S+)/m.exec(stdout ?? "")?.[1];
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
function run(command, args, options) {
  const { error, status, stderr } = spawnSync(command, args, { ...options, encoding: "utf8" });
  if (error) throw new Error(`${command} did not run (is it installed?): ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${lastLine(stderr)}`);
}

/** @param {string} text */
function lastLine(text) {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

/** @param {string} message */
function progress(message) {
  process.stderr.write(`etcd-binaries: ${message}\n`);
}

/** @param {Release} release */
function variable(release) {
  return `ETCD_${release.replace(".", "_")}`;
}

/** @param {Release} release */
function orNameOne(release) {
  return `name an etcd ${release} in ${variable(release)}`;
}

/** @param {string[]} args */
function main(args) {
  const unknown = args.filter((arg) => !RELEASES.some((release) => release === arg));
  if (unknown.length > 0) {
    process.stderr.write(
      `unknown release ${unknown.join(", ")}: choose of ${RELEASES.join(" ")}\n`,
    );
    process.exitCode = 2;
    return;
  }
  for (const release of RELEASES.filter((known) => args.length === 0 || args.includes(known))) {
    const etcd = ensureEtcd(release);
    const missing = "missing" in etcd;
    const outcome = missing ? `missing: ${etcd.missing}` : `${etcd.version}  ${etcd.path}`;
    process.stdout.write(`${release}  ${outcome}\n`);
    if (missing && process.env.CI === "true") process.exitCode = 1;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === import.meta.filename) {
  main(process.argv.slice(2));
}
