/** Directories of members that do not run any more, and attempts to start another etcd on them. */

import { type ChildProcess, spawn } from "node:child_process";

import { cp, mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findEtcd, type Release } from "../../scripts/etcd-binaries.mjs";
import {
  type EtcdProcess,
  type EtcdProcessOptions,
  startEtcdCluster,
} from "../../scripts/etcd-process.mjs";
import { untilVersionIsDecided } from "../support/until-version-is-decided.js";

/** Makes a snapshot as soon as there is something new, without the v2 API. */
export const SNAPSHOT_WITHOUT_V2 = ["--enable-v2=false", "--snapshot-count=1"];

const READY = "ready to serve client requests";

export function binaryOf(release: Release): string {
  const etcd = findEtcd(release);
  if ("missing" in etcd) throw new Error(`etcd ${release} is missing: ${etcd.missing}`);
  return etcd.path;
}

/** Starts members that are removed at the end. */
export async function startMembers(
  release: Release,
  options: { readonly size?: 1 | 3 } & Omit<EtcdProcessOptions, "binary"> = {},
): Promise<readonly [EtcdProcess, ...EtcdProcess[]] & AsyncDisposable> {
  const { size = 1, args = [], ...rest } = options;
  const members = await startEtcdCluster(size, {
    ...rest,
    binary: binaryOf(release),
    args: ["--heartbeat-interval=20", "--election-timeout=200", ...args],
  });
  await Promise.all(members.map(untilVersionIsDecided));
  const remove = async () => {
    await Promise.all(members.map((member) => member.remove()));
  };
  return Object.assign(members, { [Symbol.asyncDispose]: remove });
}

/** A request of the v2 API. */
export async function v2(
  { url }: EtcdProcess,
  method: string,
  path: string,
  body?: URLSearchParams | string,
): Promise<string> {
  const headers = { authorization: `Basic ${Buffer.from("root:secret").toString("base64")}` };
  const response = await fetch(url + path, {
    method,
    headers,
    ...(body !== undefined && { body }),
  });
  return await response.text();
}

export function putKey(member: EtcdProcess, key: string, value = "1"): Promise<string> {
  return v2(member, "PUT", `/v2/keys${key}`, new URLSearchParams({ value }));
}

/** Whether an etcd starts on a copy of a directory and applies its log. If not, what it said. */
export async function tryStart(release: Release, dataDir: string): Promise<true | string> {
  const copy = await copyOf(dataDir);
  try {
    const anyPort = "http://127.0.0.1:0";
    const started = startProcess(binaryOf(release), [
      ...["--data-dir", copy, "--listen-client-urls", anyPort, "--advertise-client-urls", anyPort],
      ...["--listen-peer-urls", anyPort],
    ]);
    const isReady = await started.logs(READY);
    await started.stop("SIGKILL");
    return isReady || started.log();
  } finally {
    await rm(dirname(copy), { recursive: true });
  }
}

/** A copy of a directory in a directory of its own. */
async function copyOf(dataDir: string): Promise<string> {
  const parent = await mkdtemp(join(dirname(dataDir), "copy-"));
  await cp(dataDir, join(parent, "data"), { recursive: true });
  return join(parent, "data");
}

/** A process whose log is read. */
export interface LoggingProcess {
  log(): string;
  /** Resolves with true when the log has the text, and with false when the process has ended. */
  logs(text: string): Promise<boolean>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export function startProcess(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): LoggingProcess {
  const child: ChildProcess = spawn(command, args, {
    env: { ...env, ETCD_UNSUPPORTED_ARCH: process.arch },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  let onChange = (): void => {};
  let hasEnded = false;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log += text;
    onChange();
  });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      hasEnded = true;
      onChange();
      resolve();
    });
  });
  return {
    log: () => log,
    async logs(text) {
      while (!log.includes(text) && !hasEnded) {
        await new Promise<void>((resolve) => {
          onChange = resolve;
        });
      }
      return log.includes(text);
    },
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      await ended;
    },
  };
}
