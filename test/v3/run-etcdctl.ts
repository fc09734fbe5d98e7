import { findEtcdctl } from "../foreign/etcdctl.js";
import { run } from "../foreign/run.js";

const program = findEtcdctl();

/** Whether an etcdctl is available. */
export const hasEtcdctl = !("missing" in program);

/** Runs etcdctl with etcd's v3 API; resolves with what it printed. */
export async function etcdctl(
  urls: readonly string[],
  ...args: readonly string[]
): Promise<string> {
  if ("missing" in program) throw new Error(`etcdctl is missing: ${program.missing}`);
  const all = ["--endpoints", urls.join(","), ...args];
  const { stdout, stderr, code } = await run(program.path, all, { env: { ETCDCTL_API: "3" } });
  if (code !== 0) throw new Error(`etcdctl ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** Grants a lease with this number of seconds. Resolves with its id in etcdctl's format. */
export async function grantLease(urls: readonly string[], seconds: number): Promise<string> {
  const printed = await etcdctl(urls, "lease", "grant", `${seconds}`);
  return /lease ([\da-f]+) granted/.exec(printed)?.[1] ?? "";
}
