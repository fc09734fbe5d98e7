// @ts-check
// Sets up what the tests need, then runs them: `npm test [-- vitest arguments]`.
import { installChromium } from "./chromium.mjs";
import { binary, build, installPackages, must, run } from "./project.mjs";

installPackages();
const installing = installChromium();
build();
must(process.execPath, ["scripts/etcd-binaries.mjs"]);
await installing;
const ok = run(process.execPath, [binary("vitest"), "run", ...process.argv.slice(2)]);
process.exit(ok ? 0 : 1);
