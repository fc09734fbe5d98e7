import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describeOnBothServers } from "./both-servers.js";
import { installed, type Missing, must } from "./install.js";
import { run } from "./run.js";
import { itPasses } from "./suite.js";

const MODULE = join(import.meta.dirname, "go");
const sources = readdirSync(MODULE).map((name) => readFileSync(join(MODULE, name), "utf8"));
const names = sources.flatMap((source) =>
  [...source.matchAll(/^func (Test\w+)\(/gm)].map(([, name = ""]) => name),
);

describeOnBothServers(
  "etcd's Go client",
  buildTests(),
  (program, server) => {
    itPasses({
      names,
      run: () => {
        const { urls, leftOut } = server();
        const env = { ETCD_URL: urls[0], ETCD_URLS: urls.join(",") };
        // They would wait for their time-outs.
        const skip = leftOut.length === 0 ? [] : [`-test.skip=^(${leftOut.join("|")})$`];
        return run(program, ["-test.v", ...skip], { env });
      },
      leftOut: () => server().leftOut,
      passed: (name) => RegExp(`^--- PASS: ${name} `, "m"),
    });
  },
  { members: 3 },
);

/** Built anew when one of the sources changes. */
function buildTests(): string | Missing {
  const version = createHash("sha256").update(sources.join("\0")).digest("hex").slice(0, 12);
  const directory = installed(`go-client-${version}`, (work) => {
    const env = { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly" };
    must("go", ["test", "-c", "-o", join(work, "client.test"), "."], { cwd: MODULE, env });
  });
  return typeof directory === "string" ? join(directory, "client.test") : directory;
}
