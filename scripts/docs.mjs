// @ts-check
// Builds the documentation into build/site: the pages of docs/ and the API reference. A warning is a failure.
import { spawnSync } from "node:child_process";
import { binary, installPackages, root } from "./project.mjs";

installPackages();

/** The site empties the folder, so it comes first. */
const steps = [[binary("vitepress"), "build", "docs"], [binary("typedoc")]];

for (const args of steps) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    // Progress is for a terminal.
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  const output = `${stdout}${stderr}`;
  const isClean = status === 0 && !/\bwarn/i.test(output);
  if (!isClean) {
    process.stderr.write(output);
    process.exit(1);
  }
}
console.log("build/site has the documentation; npx vite preview --outDir build/site shows it");
