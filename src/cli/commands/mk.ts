import type { Command } from "commander";
import { parseSeconds } from "../options/duration.js";
import { keyOf } from "../options/key-argument.js";
import { lifetimeOf } from "../options/lifetime.js";
import { givenValue } from "../options/value-argument.js";
import { printResponse } from "../output/print-response.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface MkFlags {
  readonly ttl?: number;
  readonly inOrder?: boolean;
}

export function mkCommand(): Command {
  return clientCommand(
    "mk",
    "Create a key. It must not exist.",
    "etcdnet mk /jobs 'resize 7' --in-order",
  )
    .argument("<key>")
    .argument("[value]", "default: standard input; put -- before a value that begins with -")
    .option(
      "--in-order",
      "create it in the directory KEY, with a name higher than all previous ones",
    )
    .option("--ttl <duration>", "time until the key expires; 0: never", parseSeconds)
    .action((key: string, value: string | undefined, flags: MkFlags, command: Command) =>
      withSession(command, (session) => mk(session, keyOf(key), value, flags)),
    );
}

async function mk(session: Session, key: string, argument: string | undefined, flags: MkFlags) {
  const value = await givenValue(argument, "etcdnet mk KEY VALUE");
  const { inOrder = false, ttl } = flags;
  const request = { action: "create", key, value, inOrder, ...lifetimeOf(ttl) } as const;
  printResponse(await session.etcd.execute(request), session.format);
}
