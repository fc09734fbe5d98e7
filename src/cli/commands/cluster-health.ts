import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { EtcdClient } from "../../client/etcd-client.js";
import type { EtcdClientOptions } from "../../client/options.js";
import type { EndpointHealth, Member } from "../../model/cluster.js";
import { clientSettings } from "../options/client-settings.js";
import { ExitCode } from "../process/exit-code.js";
import { untilInterrupted } from "../process/interrupt.js";
import { print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

const HEALTH_INTERVAL_MS = 10_000;

interface HealthFlags {
  readonly forever?: boolean;
}

export function clusterHealthCommand(): Command {
  return clientCommand(
    "cluster-health",
    "Check the health of every member at the client URLs that it advertises.",
    "etcdnet cluster-health --endpoints http://10.0.0.1:2379",
  )
    .option("-f, --forever", "repeat every 10 seconds, until Ctrl-C")
    .action((flags: HealthFlags, command: Command) =>
      withSession(command, (session) => clusterHealth(session, flags)),
    );
}

async function clusterHealth({ etcd, options }: Session, { forever }: HealthFlags): Promise<void> {
  const members = await listMembers(etcd);
  const { discoverySrv: _, ...settings } = await clientSettings(options);
  if (!forever) {
    if (!(await report(members, settings))) process.exitCode = ExitCode.unhealthy;
    return;
  }
  using interrupt = untilInterrupted("SIGINT");
  while (!interrupt.signal.aborted) {
    await report(members, settings);
    print("", "next check after 10 second...", "");
    await setTimeout(HEALTH_INTERVAL_MS, undefined, { signal: interrupt.signal }).catch(() => {});
  }
}

async function listMembers(etcd: EtcdClient): Promise<readonly Member[]> {
  try {
    return await etcd.members.list();
  } catch (error) {
    print("cluster may be unhealthy: failed to list members");
    throw error;
  }
}

/** Whether all members are healthy. */
async function report(members: readonly Member[], settings: EtcdClientOptions): Promise<boolean> {
  let healthy = 0;
  for (const member of members) if (await isHealthy(member, settings)) healthy++;
  const verdict =
    healthy === members.length ? "healthy" : healthy === 0 ? "unavailable" : "degraded";
  print(`cluster is ${verdict}`);
  return healthy === members.length;
}

/** The health that the first reachable URL reports. */
async function isHealthy({ id, clientURLs }: Member, settings: EtcdClientOptions) {
  if (clientURLs.length === 0) {
    print(`member ${id} is unreachable: no available published client urls`);
    return false;
  }
  for (const url of clientURLs) {
    const { healthy, reason } = await healthAt(url, settings);
    if (reason !== undefined) {
      print(`failed to check the health of member ${id} on ${url}: ${reason}`);
      continue;
    }
    const verdict = healthy ? "healthy" : "unhealthy";
    print(`member ${id} is ${verdict}: got ${verdict} result from ${url}`);
    return healthy;
  }
  print(`member ${id} is unreachable: [${clientURLs.join(" ")}] are all unreachable`);
  return false;
}

type Health = Pick<EndpointHealth, "healthy" | "reason">;

/** A member may advertise a URL that no client can use, such as a local socket. */
async function healthAt(url: string, settings: EtcdClientOptions): Promise<Health> {
  try {
    await using etcd = new EtcdClient({ ...settings, urls: [url] });
    const [health = { healthy: false }] = await etcd.health();
    return health;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { healthy: false, reason: error.message };
  }
}
