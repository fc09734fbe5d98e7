import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { goProgram, type Missing } from "./install.js";

const MODULE = join(import.meta.dirname, "go");
const sources = readdirSync(MODULE).map((name) => readFileSync(join(MODULE, name), "utf8"));

/** Needs a migrated tree. */
export const GO_MIGRATED_TEST = "TestMigratedTree";

/** The tests of the module that drives etcd's Go client on any server. */
export const goTests: readonly string[] = sources
  .flatMap((source) => [...source.matchAll(/^func (Test\w+)\(/gm)].map(([, name = ""]) => name))
  .filter((name) => name !== GO_MIGRATED_TEST);

/** The path of the module's test program. */
export function buildGoTests(): string | Missing {
  return goProgram("go-client", MODULE, (program) => ["test", "-c", "-o", program, "."]);
}
