// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "./build-lock.mjs";

/** The folder of the clone. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Runs a command in the clone and shows what it prints.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {boolean} whether it succeeded
 */
export function run(command, args, env = process.env) {
  return spawnSync(command, args, { cwd: root, stdio: "inherit", env }).status === 0;
}

/**
 * Runs a command and ends this process when it fails.
 *
 * @param {string} command
 * @param {readonly string[]} args
 */
export function must(command, args) {
  if (!run(command, args)) process.exit(1);
}

/** Installs the packages that package-lock.json names, unless they are there. */
export function installPackages() {
  const installed = packagesIn("node_modules/.package-lock.json");
  const wanted = Object.entries(packagesIn("package-lock.json"));
  // Optional packages are programs for one platform. The first entry is the project itself.
  const isComplete = wanted.every(
    ([path, { version, optional }]) =>
      path === "" || optional || installed[path]?.version === version,
  );
  if (isComplete) return;
  must("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
}

/**
 * The packages that a lock file lists, by their folder.
 *
 * @param {string} file
 * @returns {Record<string, { version: string, optional?: boolean }>}
 */
function packagesIn(file) {
  const path = join(root, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).packages : {};
}

/** Two builds at once would remove files of each other. */
const BUILD_LOCK = join(root, "node_modules/.etcdnet-build");

/**
 * Compiles src/ to dist/.
 *
 * @param {{ isClean?: boolean }} [options] with `isClean`, what was in dist/ is removed
 */
export function build({ isClean = false } = {}) {
  withLock(BUILD_LOCK, () => {
    if (isClean) rmSync(join(root, "dist"), { recursive: true, force: true });
    compile();
  });
}

/** Compiles src/ to dist/, unless what is there is newer than all of it. */
export function buildIfStale() {
  // What is new may be a part of what another process is building.
  withLock(BUILD_LOCK, () => {
    const built = join(root, "dist/cli/main.js");
    if (!existsSync(built) || statSync(built).mtimeMs < newestSource()) compile();
  });
}

function compile() {
  must(process.execPath, ["scripts/bundle.mjs"]);
}

/** When a source was last changed, in ms since 1970. */
function newestSource() {
  return ["src", "console"]
    .flatMap((folder) => {
      const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
      return files.map((file) => join(root, folder, file));
    })
    .filter((file) => !file.endsWith(".test.ts"))
    .map((file) => statSync(file).mtimeMs)
    .reduce((a, b) => Math.max(a, b));
}

/**
 * Path of a development tool's script, so that it runs on this Node without a shell.
 *
 * @param {string} name of the package
 * @param {string} [command]
 */
export function binary(name, command = name) {
  const folder = join(root, "node_modules", name);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[command]);
}
