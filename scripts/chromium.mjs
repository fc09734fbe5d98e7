// @ts-check
// Finds Chromium for the tests of the console, and installs Debian's package where that is possible.
import { spawn } from "node:child_process";
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

/** Ends an installation that cannot reach a mirror. */
const LIMIT_MS = 180_000;

/**
 * Begins to install it, if it is missing and this process may do so. Without it, the tests that need a browser are skipped
 * with a message.
 */
export async function installChromium() {
  if (findChromium() !== undefined || process.getuid?.() !== 0) return;
  console.log("installing the package chromium with apt-get");
  const install = ["install", "--yes", "--no-install-recommends", "chromium"];
  if (!(await apt(...install)) && (await apt("update"))) await apt(...install);
}

/** @param {string[]} args @returns {Promise<boolean>} whether it succeeded */
function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const quick = ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20"];
  const child = spawn("apt-get", [...quick, ...args], {
    ...{ env, stdio: ["ignore", "ignore", "inherit"], timeout: LIMIT_MS },
  });
  return new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });
}
