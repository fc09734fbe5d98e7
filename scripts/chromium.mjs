// @ts-check
// Finds Chromium for the tests of the console, and installs Debian's package where that is possible.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** @returns {string | undefined} path of the program */
export function findChromium() {
  const { CHROMIUM, PATH = "" } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const paths = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}

/** Without it, the tests that need a browser are skipped with a message. */
export function installChromium() {
  if (findChromium() !== undefined || process.getuid?.() !== 0) return;
  const apt = (/** @type {string[]} */ ...args) =>
    spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  console.log("installing the package chromium with apt-get");
  const install = ["install", "--yes", "--no-install-recommends", "chromium"];
  if (!apt(...install)) apt("update") && apt(...install);
}
