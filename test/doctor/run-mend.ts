/** Executes the command lines of findings as they are printed. */

import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Release } from "../../scripts/etcd-binaries.mjs";
import type { Diagnosis } from "../../src/doctor/finding.js";
import { MAIN } from "../support/cli-process.js";
import { binaryOf, type LoggingProcess, startProcess } from "./old-member.js";

const run = promisify(execFile);

/** The comment that asks to stop the member. */
const STOPPED = "# with this member stopped:";

/**
 * Runs the lines of one diagnosis for each member of a cluster, step by step for all members. The members
 * must have the same findings.
 *
 * @param release of the command `etcd`
 */
export async function runMend(release: Release, diagnoses: readonly Diagnosis[]): Promise<void> {
  const [lines = [], ...others] = diagnoses.map(linesOf);
  await runLines(release, lines, others);
}

/** Runs lines, and those that start etcd also in the lists for other members. */
export async function runLines(
  release: Release,
  lines: readonly string[],
  others: readonly (readonly string[])[] = [],
): Promise<void> {
  const tools = await mkdtemp(join(tmpdir(), "etcdnet-tools-"));
  const running: LoggingProcess[] = [];
  try {
    const env = await environment(tools, release);
    for (const [at, line] of lines.entries()) {
      if (line === STOPPED) await stopAll(running);
      else if (line.startsWith("etcd ")) {
        await stopAll(running);
        const starts = [line, ...others.map((list) => list[at] ?? "")];
        running.push(...starts.map((text) => startProcess("sh", ["-c", `exec ${text}`], env)));
        await Promise.all(running.map((etcd, member) => isDone(etcd, starts[member] ?? "")));
      } else {
        await run("sh", ["-c", line], { env, cwd: tools });
      }
    }
  } finally {
    await stopAll(running);
    await rm(tools, { recursive: true });
  }
}

function linesOf({ findings }: Diagnosis): readonly string[] {
  const isForMachine = (line: string): boolean => line === STOPPED || !line.startsWith("#");
  return findings.flatMap(({ mend }) => mend.filter(isForMachine));
}

/** What the comments say: wait until it is ready, and until it has made a snapshot. */
async function isDone(etcd: LoggingProcess, line: string): Promise<void> {
  const texts = ["ready to serve client requests"];
  if (line.includes("--snapshot-count")) texts.push("saved snapshot");
  for (const text of texts) {
    if (!(await etcd.logs(text))) throw new Error(`${line} ended: ${etcd.log()}`);
  }
}

async function stopAll(running: LoggingProcess[]): Promise<void> {
  await Promise.all(running.splice(0).map((etcd) => etcd.stop()));
}

/** An environment in which `etcd` and `etcdnet` are found, with the password of root. */
async function environment(tools: string, release: Release): Promise<NodeJS.ProcessEnv> {
  await symlink(binaryOf(release), join(tools, "etcd"));
  const script = join(tools, "etcdnet");
  await writeFile(script, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  await chmod(script, 0o755);
  const { PATH = "" } = process.env;
  return { ...process.env, PATH: tools + delimiter + PATH, ETCDCTL_USERNAME: "root:secret" };
}
