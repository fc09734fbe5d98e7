import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { installed, must } from "../foreign/install.js";
import { isMissing } from "../foreign/missing.js";
import type { Application } from "./application.js";
import { numberIn, oneTo } from "./numbers.js";
import { finish, launch, linesOf, printsMore } from "./program.js";

const MODULE = join(import.meta.dirname, "go");
const SET = /^set \d+$/;
const SEEN = /^seen \d+$/;
const WAIT = { timeout: 60_000, interval: 20 };

/** A program that sets a key and watches it, with AutoSync. It ends if it learns another endpoint. */
export const goFollower: Application = {
  name: "etcd's Go client: a program with AutoSync",
  install() {
    const directory = installed(`go-follower-${versionOfSources()}`, (work) => {
      const env = { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly" };
      must("go", ["build", "-o", join(work, "follower"), "."], { cwd: MODULE, env });
    });
    if (isMissing(directory)) return directory;
    return async ({ urls }) => {
      const program = launch(join(directory, "follower"), urls);
      const seen = () => linesOf(program, SEEN).map(numberIn);
      return {
        async goesOn() {
          await Promise.all([printsMore(program, SET), printsMore(program, SEEN)]);
        },
        async finish() {
          const last = linesOf(program, SET).map(numberIn).at(-1) ?? 0;
          await vi.waitUntil(() => seen().includes(last), WAIT);
          await finish(program);
          // A set whose response was lost is repeated by the client, so that it is seen twice.
          const numbers = seen().filter((number, at, all) => number !== all[at - 1]);
          expect(numbers).toEqual(oneTo(numbers.length));
        },
      };
    };
  },
};

/** The program is built again when one of its sources changes. */
function versionOfSources(): string {
  const sources = readdirSync(MODULE).map((name) => readFileSync(join(MODULE, name), "utf8"));
  return createHash("sha256").update(sources.join("\0")).digest("hex").slice(0, 12);
}
