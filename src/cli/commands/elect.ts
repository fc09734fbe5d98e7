import { hostname } from "node:os";
import type { Command } from "commander";
import type { EtcdClient } from "../../client/etcd-client.js";
import { Election, type Leader } from "../../recipes/election/election.js";
import type { Leadership } from "../../recipes/election/leadership.js";
import { goJson } from "../../wire/go-json.js";
import type { OutputFormat } from "../options/client-options.js";
import { parseSeconds } from "../options/duration.js";
import { keyOf } from "../options/key-argument.js";
import { jsonText } from "../output/json-text.js";
import { yamlLines } from "../output/yaml-text.js";
import { exitCodeOfSignal } from "../process/exit-code.js";
import { type Interrupt, untilInterrupted } from "../process/interrupt.js";
import { print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";
import { whileHeld } from "./while-held.js";

interface ElectFlags {
  readonly ttl?: number;
  readonly listen?: boolean;
}

export function electCommand(): Command {
  return clientCommand(
    "elect",
    "Campaign in an election, print key and value when elected, and lead until Ctrl-C. With --listen, " +
      "print the current leader and each later one.",
    'etcdnet elect /election/mail "$(hostname)"',
  )
    .argument("<key>")
    .argument("[value]", "value that others see for this leader (default: the name of this host)")
    .option(
      "--ttl <duration>",
      "time after which a dead leader is replaced (default: 10)",
      parseSeconds,
    )
    .option("-l, --listen", "only observe the election")
    .action((key: string, value: string | undefined, flags: ElectFlags, command: Command) =>
      withSession(command, (session) => elect(session, keyOf(key), value ?? hostname(), flags)),
    );
}

async function elect(session: Session, key: string, value: string, flags: ElectFlags) {
  const { ttl = 10, listen = false } = flags;
  using interrupt = untilInterrupted("SIGINT", "SIGTERM", "SIGHUP");
  const election = new Election(session.etcd, key, { ttl });
  if (listen) await observe(election, session, interrupt);
  else await lead(election, value, interrupt, session.format);
}

async function observe(election: Election, { etcd, format }: Session, { signal }: Interrupt) {
  // An observer waits for a cluster that cannot be reached; this reports it.
  if (!(await isReachable(etcd, signal))) return;
  for await (const leader of election.observe({ signal })) printLeader(leader, format);
}

/** False when the signal aborts first. @throws EtcdError when the cluster cannot be reached */
async function isReachable(etcd: EtcdClient, signal: AbortSignal): Promise<boolean> {
  try {
    await etcd.version({ signal });
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  }
}

async function lead(election: Election, value: string, interrupt: Interrupt, format: OutputFormat) {
  const leadership = await campaign(election, value, interrupt);
  if (leadership === undefined) return;
  await using led = leadership;
  printLeader(led, format);
  await whileHeld(led.signal, interrupt, [], {});
}

/** Undefined when a signal ends the campaign. */
async function campaign(
  election: Election,
  value: string,
  { signal }: Interrupt,
): Promise<Leadership | undefined> {
  try {
    return await election.campaign(value, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = exitCodeOfSignal(signal.reason);
    return undefined;
  }
}

function printLeader(
  leader: Pick<Leader, "key" | "value" | "fencingToken"> | null,
  format: OutputFormat,
) {
  if (format === "json") print(goJson(leader && shown(leader)));
  else if (format === "jsonl") print(jsonText(leader && shown(leader)));
  else if (format === "yaml") print("---", ...yamlLines(leader && shown(leader)));
  else if (leader !== null) print(leader.key, leader.value);
}

function shown({ key, value, fencingToken }: Leader): Leader {
  return { key, value, fencingToken };
}
