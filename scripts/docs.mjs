// @ts-check
// Builds the documentation into build/site: the pages of docs/ and the API reference. A warning is a failure.
// With --check, builds it for a folder of a domain, as a site of a project on GitHub is, and tests that in a browser.
import { spawnSync } from "node:child_process";
import { binary, installPackages, root, run } from "./project.mjs";

installPackages();

const isCheck = process.argv.includes("--check");
/** What a host would serve as `/`, and where in it the site is. */
const [folder, base] = isCheck
  ? ["build/checked-site", "/etcdnet/"]
  : ["build/site", process.env.DOCS_BASE ?? "/"];
const site = isCheck ? `${folder}${base}` : folder;

/** The site empties the folder, so it comes first. */
const steps = [
  [binary("vitepress"), "build", "docs", "--outDir", site],
  [binary("typedoc"), "--out", `${site}/api`],
];

for (const args of steps) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    // Progress is for a terminal.
    env: { ...process.env, DOCS_BASE: base, NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  const output = `${stdout}${stderr}`;
  const isClean = status === 0 && !/\bwarn/i.test(output);
  if (!isClean) {
    process.stderr.write(output);
    process.exit(1);
  }
}

if (isCheck) {
  const tests = [binary("vitest"), "run", "--project", "site"];
  const passed = run(process.execPath, tests, { ...process.env, ETCDNET_SITE: folder });
  process.exit(passed ? 0 : 1);
}
console.log("build/site has the documentation; npx vite preview --outDir build/site shows it");
