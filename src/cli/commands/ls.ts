import type { Command } from "commander";
import { keyOf } from "../options/key-argument.js";
import { descendants, printResponse } from "../output/print-response.js";
import { print, printLines } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";
import { type AtFlag, atOption, sessionAt } from "./session-at.js";

interface LsFlags extends AtFlag {
  readonly sort?: boolean;
  readonly recursive?: boolean;
  readonly p?: boolean;
  readonly quorum?: boolean;
}

export function lsCommand(): Command {
  return clientCommand(
    "ls",
    "List a directory (default: the root).",
    "etcdnet ls --recursive -p /config",
  )
    .argument("[key]")
    .option("--sort", "sort by the bytes of the keys")
    .option("-r, --recursive", "include everything below it")
    .option("-p", "append a slash to directories")
    .option("-q, --quorum", "quorum read: never a stale list")
    .addOption(atOption())
    .action((key: string | undefined, flags: LsFlags, command: Command) =>
      withSession(command, (session) => ls(sessionAt(session, flags), keyOf(key ?? "/"), flags)),
    );
}

async function ls({ etcd, format }: Session, key: string, flags: LsFlags): Promise<void> {
  const { sort: sorted = false, recursive = false, quorum = false, p: slash = false } = flags;
  const response = await etcd.getNode(key, { sorted, recursive, quorum });
  if (format !== "simple") {
    printResponse(response, format);
    return;
  }
  if (!response.node.dir) print(response.node.key);
  printLines(descendants(response.node).map(({ key, dir }) => (dir && slash ? `${key}/` : key)));
}
