import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { EtcdClient } from "../../client/etcd-client.js";
import type { EtcdClientOptions } from "../../client/options.js";
import type { EndpointHealth, Member } from "../../model/cluster.js";
import type { OutputFormat } from "../options/client-options.js";
import { clientSettings } from "../options/client-settings.js";
import { oneLine } from "../output/one-line.js";
import { printRecords } from "../output/print-records.js";
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

async function clusterHealth(session: Session, { forever }: HealthFlags): Promise<void> {
  const { options, format } = session;
  const members = await listMembers(session);
  const { discoverySrv: _, ...settings } = await clientSettings(options);
  if (!forever) {
    if (!(await report(members, settings, format))) process.exitCode = ExitCode.unhealthy;
    return;
  }
  using interrupt = untilInterrupted("SIGINT");
  while (!interrupt.signal.aborted) {
    await report(members, settings, format);
    if (isText(format)) print("", "next check after 10 second...", "");
    await setTimeout(HEALTH_INTERVAL_MS, undefined, { signal: interrupt.signal }).catch(() => {});
  }
}

async function listMembers({ etcd, format }: Session): Promise<readonly Member[]> {
  try {
    return await etcd.members.list();
  } catch (error) {
    if (isText(format)) print("cluster may be unhealthy: failed to list members");
    throw error;
  }
}

/** The health of a member as a record. */
interface MemberHealth {
  readonly id: string;
  readonly name: string;
  readonly health: "healthy" | "unhealthy" | "unreachable";
  /** The URL that responded. */
  readonly url?: string;
  /** Why the other URLs did not. */
  readonly failures?: readonly string[];
}

/** Whether all members are healthy. */
async function report(
  members: readonly Member[],
  settings: EtcdClientOptions,
  format: OutputFormat,
): Promise<boolean> {
  const show = isText(format) ? print : (): void => {};
  const found: MemberHealth[] = [];
  for (const member of members) found.push(await healthOf(member, settings, show));
  const healthy = found.filter(({ health }) => health === "healthy").length;
  const verdict =
    healthy === members.length ? "healthy" : healthy === 0 ? "unavailable" : "degraded";
  show(`cluster is ${verdict}`);
  if (!isText(format)) {
    printRecords(found, format, {
      line: ({ id }) => id,
      head: ["ID", "NAME", "HEALTH", "URL"],
      row: ({ id, name, health, url = "" }) => [id, oneLine(name), health, oneLine(url)],
    });
  }
  return healthy === members.length;
}

function isText(format: OutputFormat): boolean {
  return format === "simple" || format === "extended";
}

/** The health that the first reachable URL reports. */
async function healthOf(
  { id, name, clientURLs }: Member,
  settings: EtcdClientOptions,
  show: (line: string) => void,
): Promise<MemberHealth> {
  if (clientURLs.length === 0) {
    show(`member ${id} is unreachable: no available published client urls`);
    return { id, name, health: "unreachable" };
  }
  const failures: string[] = [];
  for (const url of clientURLs) {
    const { healthy, reason } = await healthAt(url, settings);
    if (reason !== undefined) {
      show(`failed to check the health of member ${id} on ${url}: ${reason}`);
      failures.push(`${url}: ${reason}`);
      continue;
    }
    const health = healthy ? "healthy" : "unhealthy";
    show(`member ${id} is ${health}: got ${health} result from ${url}`);
    return { id, name, health, url, ...(failures.length > 0 && { failures }) };
  }
  show(`member ${id} is unreachable: [${clientURLs.join(" ")}] are all unreachable`);
  return { id, name, health: "unreachable", failures };
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
