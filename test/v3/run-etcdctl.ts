import { findEtcdctl } from "../foreign/etcdctl.js";
import { run } from "../foreign/run.js";

const program = findEtcdctl();
/** The defaults, 5 s and 2 s, are too short for a busy machine. */
const TIME_LIMITS = ["--command-timeout", "60s", "--dial-timeout", "60s"];

/** Whether an etcdctl is available. */
export const hasEtcdctl = !("missing" in program);

/** Runs etcdctl with etcd's v3 API; resolves with what it printed. */
export async function etcdctl(
  urls: readonly string[],
  ...args: readonly string[]
): Promise<string> {
  if ("missing" in program) throw new Error(`etcdctl is missing: ${program.missing}`);
  const all = [...TIME_LIMITS, "--endpoints", urls.join(","), ...args];
  const { stdout, stderr, code } = await run(program.path, all, { env: { ETCDCTL_API: "3" } });
  if (code !== 0) throw new Error(`etcdctl ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** Grants a lease with this number of seconds. Resolves with its id in etcdctl's format. */
export async function grantLease(urls: readonly string[], seconds: number): Promise<string> {
  const printed = await etcdctl(urls, "lease", "grant", `${seconds}`);
  return /lease ([\da-f]+) granted/.exec(printed)?.[1] ?? "";
}
