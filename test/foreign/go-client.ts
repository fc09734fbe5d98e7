import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { installed, type Missing, must } from "./install.js";

const MODULE = join(import.meta.dirname, "go");
const sources = readdirSync(MODULE).map((name) => readFileSync(join(MODULE, name), "utf8"));

/** Needs a migrated tree. */
export const GO_MIGRATED_TEST = "TestMigratedTree";

/** The tests of the module that drives etcd's Go client on any server. */
export const goTests: readonly string[] = sources
  .flatMap((source) => [...source.matchAll(/^func (Test\w+)\(/gm)].map(([, name = ""]) => name))
  .filter((name) => name !== GO_MIGRATED_TEST);

/** The path of the module's test program. It is built again when one of the sources changes. */
export function buildGoTests(): string | Missing {
  const version = createHash("sha256").update(sources.join("\0")).digest("hex").slice(0, 12);
  const directory = installed(`go-client-${version}`, (work) => {
    const env = { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly" };
    must("go", ["test", "-c", "-o", join(work, "client.test"), "."], { cwd: MODULE, env });
  });
  return typeof directory === "string" ? join(directory, "client.test") : directory;
}
