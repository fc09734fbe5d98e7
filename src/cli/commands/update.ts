import type { Command } from "commander";
import { parseSeconds } from "../options/duration.js";
import { keyOf } from "../options/key-argument.js";
import { lifetimeOf } from "../options/lifetime.js";
import { givenValue } from "../options/value-argument.js";
import { printResponse } from "../output/print-response.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface UpdateFlags {
  readonly ttl?: number;
}

export function updateCommand(): Command {
  return clientCommand(
    "update",
    "Change the value of an existing key.",
    "etcdnet update /config/database db2",
  )
    .argument("<key>")
    .argument("[value]", "default: standard input; put -- before a value that begins with -")
    .option("--ttl <duration>", "time until the key expires; 0: never", parseSeconds)
    .action((key: string, value: string | undefined, flags: UpdateFlags, command: Command) =>
      withSession(command, (session) => update(session, keyOf(key), value, flags)),
    );
}

async function update(
  { etcd, format }: Session,
  key: string,
  argument: string | undefined,
  { ttl }: UpdateFlags,
) {
  const value = await givenValue(argument, "etcdnet update KEY VALUE");
  printResponse(await etcd.updateNode(key, value, lifetimeOf(ttl)), format);
}
