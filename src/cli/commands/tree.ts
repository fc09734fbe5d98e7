import type { Command } from "commander";
import { keyOf } from "../options/key-argument.js";
import { printResponse } from "../output/print-response.js";
import { treeLines } from "../output/tree-lines.js";
import { print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";
import { type AtFlag, atOption, sessionAt } from "./session-at.js";

interface TreeFlags extends AtFlag {
  readonly quorum?: boolean;
  readonly values?: boolean;
}

export function treeCommand(): Command {
  return clientCommand(
    "tree",
    "Draw a directory with everything in it (default: the root).",
    "etcdnet tree --values /config",
  )
    .argument("[key]")
    .option("--values", "also show values")
    .option("-q, --quorum", "quorum read: never a stale tree")
    .addOption(atOption())
    .action((key: string | undefined, flags: TreeFlags, command: Command) =>
      withSession(command, (session) => tree(sessionAt(session, flags), keyOf(key ?? "/"), flags)),
    );
}

async function tree({ etcd, format }: Session, key: string, flags: TreeFlags): Promise<void> {
  const { quorum = false, values = false } = flags;
  const response = await etcd.getNode(key, { recursive: true, sorted: true, quorum });
  if (format !== "simple") {
    printResponse(response, format);
    return;
  }
  for (const line of treeLines(response.node, values)) print(line);
}
