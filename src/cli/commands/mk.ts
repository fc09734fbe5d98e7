import type { Command } from "commander";
import { keyOf } from "../options/key-argument.js";
import { lifetimeOf } from "../options/lifetime.js";
import { givenValue } from "../options/value-argument.js";
import { parseWholeNumber } from "../options/whole-number.js";
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
    "Make a key that must not exist.",
    "etcdnet mk /jobs 'resize 7' --in-order",
  )
    .argument("<key>")
    .argument("[value]", "standard input where it is left out; after -- if it begins with -")
    .option("--in-order", "make it in the directory KEY, under a name higher than all before")
    .option("--ttl <seconds>", "let the key expire; 0: never", parseWholeNumber)
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
