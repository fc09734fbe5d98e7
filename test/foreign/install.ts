/** Clients of other people, put once into a cache outside the clone; nothing there needs root. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Says what is missing and what to do about it. */
export interface Missing {
  readonly missing: string;
}

/**
 * The folder of this name in the cache, which `make` fills if it is not there yet. Two processes
 * may do so at once: a folder appears complete, by one rename.
 */
export function installed(name: string, make: (work: string) => void): string | Missing {
  const directory = join(cacheDirectory(), name);
  if (existsSync(directory)) return directory;
  process.stderr.write(`foreign clients: installing ${name}\n`);
  mkdirSync(cacheDirectory(), { recursive: true });
  const work = mkdtempSync(join(cacheDirectory(), "work-"));
  try {
    make(work);
    moveTo(directory, work);
    return directory;
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The unpacked files of a package of Debian or Ubuntu; to install it, root would be needed. */
export function debianPackage(name: string): string | Missing {
  return installed(name, (work) => {
    must("apt-get", ["download", name], { cwd: work });
    const archives = readdirSync(work).filter((file) => file.endsWith(".deb"));
    must("dpkg-deb", ["--extract", ...archives, "."], { cwd: work });
  });
}

/**
 * The path of a program that is built from the Go module in a folder. It is built again when one of the
 * module's files or the arguments change.
 *
 * @param argumentsFor arguments of `go` that write the program to this path
 */
export function goProgram(
  name: string,
  module: string,
  argumentsFor: (program: string) => readonly string[],
): string | Missing {
  const files = readdirSync(module).map((file) => readFileSync(join(module, file), "utf8"));
  const parts = [...argumentsFor(name), ...files];
  const version = createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 12);
  const directory = installed(`${name}-${version}`, (work) => {
    const env = { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly" };
    must("go", argumentsFor(join(work, name)), { cwd: module, env });
  });
  return typeof directory === "string" ? join(directory, name) : directory;
}

/** @throws Error with the last line of what the command complained about */
export function must(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): void {
  const { error, status, stderr } = spawnSync(command, args, {
    ...options,
    env: { ...process.env, ...options.env },
    encoding: "utf8",
    timeout: 300_000,
  });
  if (error) throw new Error(`${command} did not run (is it installed?): ${error.message}`);
  if (status !== 0) {
    throw new Error(`${command} ${args[0]} failed: ${stderr.trimEnd().split("\n").at(-1)}`);
  }
}

function moveTo(directory: string, work: string): void {
  try {
    renameSync(work, directory);
  } catch (error) {
    // Another process was quicker with the same.
    if (!existsSync(directory)) throw error;
  }
}

function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "etcdnet", "foreign");
}
