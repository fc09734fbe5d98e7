import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { debianPackage, type Missing } from "./install.js";
import { type Outcome, type RunOptions, run, type Started, start } from "./run.js";

/** The program: the one on PATH, or else the one of Debian's or Ubuntu's package. */
export interface Etcdctl {
  readonly path: string;
}

const V2_API = { ETCDCTL_API: "2" };
/** Flags of etcdctl. The defaults, 2 s and 5 s, are too short for a busy machine. */
export const TIME_LIMITS = ["--timeout", "60s", "--total-timeout", "120s"];

export function findEtcdctl(): Etcdctl | Missing {
  if (speaksV2("etcdctl")) return { path: "etcdctl" };
  const directory = debianPackage("etcd-client");
  if (typeof directory !== "string") return directory;
  const path = join(directory, "usr/bin/etcdctl");
  return speaksV2(path) ? { path } : { missing: `${path} is no etcdctl 3.4` };
}

/** The server that runs during a test. */
type ServerOfTest = () => { readonly urls: readonly string[] };

/** Runs etcdctl on the current server. */
export class EtcdctlRunner {
  readonly #path: string;
  readonly #server: ServerOfTest;

  constructor({ path }: Etcdctl, server: ServerOfTest) {
    this.#path = path;
    this.#server = server;
  }

  run(args: readonly string[], options?: RunOptions): Promise<Outcome> {
    return run(this.#path, this.#arguments(args), { ...options, env: V2_API });
  }

  /** Runs what is to succeed, and returns what it printed. */
  async print(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) throw new Error(`etcdctl ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** Runs what is to fail: its exit code and what it complained about. */
  async refusal(...args: readonly string[]): Promise<readonly [Outcome["code"], string]> {
    const { code, stdout, stderr } = await this.run(args);
    return [code, (stderr + stdout).trim()];
  }

  start(...args: readonly string[]): Started {
    return start(this.#path, this.#arguments(args), { env: V2_API });
  }

  #arguments(args: readonly string[]): readonly string[] {
    return ["--endpoints", this.#server().urls.join(","), ...args];
  }
}

/** Of 3.4, the last release with the v2 API in an etcdctl that Debian has. */
function speaksV2(path: string): boolean {
  const env = { ...process.env, ...V2_API };
  const { stdout } = spawnSync(path, ["--version"], { env, encoding: "utf8", timeout: 10_000 });
  return /^etcdctl version: 3\.4\.\d+\nAPI version: 2$/m.test(stdout ?? "");
}
