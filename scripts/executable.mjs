// @ts-check
// Builds build/etcdnet for this machine: Node and the command line in one file. Where it runs, neither
// Node nor npm is needed.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { binary, installPackages, root } from "./project.mjs";

/** Where Node looks for the program. See "Single executable applications" in Node's documentation. */
const RESOURCE = "NODE_SEA_BLOB";
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
const MACHO_SEGMENT = "NODE_SEA";

const folder = join(root, "build");
const work = join(folder, "work");
const isMac = process.platform === "darwin";

/** @returns {string} the script, with the packages that it imports */
function bundle() {
  const outfile = join(work, "etcdnet.cjs");
  buildSync({
    entryPoints: [join(root, "src/cli/executable.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    outfile,
    // The page of the console lies beside the code of the package; the executable has no such files.
    define: { "import.meta.url": "undefined" },
    logLevel: "warning",
  });
  return outfile;
}

/** @param {string} main @returns {string} the script in the form that Node runs */
function prepare(main) {
  const config = join(work, "config.json");
  const output = join(work, "etcdnet.blob");
  const options = { main, output, disableExperimentalSEAWarning: true };
  writeFileSync(config, JSON.stringify(options));
  execFileSync(process.execPath, ["--experimental-sea-config", config], { stdio: "pipe" });
  return output;
}

/**
 * Puts the script into a copy of Node.
 *
 * @param {string} blob
 * @returns {string} the executable
 */
function inject(blob) {
  const executable = join(folder, process.platform === "win32" ? "etcdnet.exe" : "etcdnet");
  copyFileSync(process.execPath, executable);
  chmodSync(executable, 0o755);
  // Systems of Apple run only signed programs, and the signature of Node does not cover the script.
  if (isMac) execFileSync("codesign", ["--remove-signature", executable]);
  const segment = isMac ? ["--macho-segment-name", MACHO_SEGMENT] : [];
  const args = [executable, RESOURCE, blob, "--sentinel-fuse", FUSE, ...segment];
  execFileSync(process.execPath, [binary("postject"), ...args], { stdio: "pipe" });
  if (isMac) execFileSync("codesign", ["--sign", "-", executable]);
  return executable;
}

installPackages();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
console.log(inject(prepare(bundle())));
rmSync(work, { recursive: true });
