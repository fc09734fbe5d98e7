import type { Command } from "commander";
import type { EtcdClient } from "../../client/etcd-client.js";
import { UnauthorizedError } from "../../errors/common-errors.js";
import type { KeyRequest } from "../../model/key-request.js";
import { walkDirectories } from "../../transfer/source/walk-tree.js";
import { keyOf } from "../options/key-argument.js";
import { parseWholeNumber } from "../options/whole-number.js";
import { count } from "../output/migration-text.js";
import { oneLine } from "../output/one-line.js";
import { printResponse } from "../output/print-response.js";
import { canAsk, isConfirmed } from "../process/ask.js";
import { CommandError } from "../process/command-error.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface RmFlags {
  readonly yes?: boolean;
  readonly dir?: boolean;
  readonly recursive?: boolean;
  readonly withValue?: string;
  readonly withIndex?: number;
}

export function rmCommand(): Command {
  return clientCommand("rm", "Remove a key or a directory.", "etcdnet rm --recursive /config/old")
    .argument("<key>")
    .option("--dir", "also remove an empty directory")
    .option("-r, --recursive", "also remove a directory with everything in it")
    .option("-y, --yes", "on a terminal: do not ask before a directory is removed with --recursive")
    .option("--with-value <value>", "only if this is the current value")
    .option("--with-index <index>", "only if this is the current modified index", parseWholeNumber)
    .action((key: string, flags: RmFlags, command: Command) =>
      withSession(command, async (session) => {
        const request = requestOf(keyOf(key), flags);
        if (flags.yes !== true && canAsk()) await confirm(session, request);
        await remove(session, request);
      }),
    );
}

/** Says what a recursive delete removes, and asks. @throws CommandError unless the answer is yes */
async function confirm({ etcd }: Session, request: KeyRequest): Promise<void> {
  if (request.action !== "delete" || request.recursive !== true) return;
  const content = await contentOf(etcd, request.key);
  if (content === undefined) return;
  if (await isConfirmed(`Remove ${oneLine(request.key)} with ${content}?`)) return;
  throw new CommandError("nothing was removed");
}

/** Describes what is in a directory; undefined for a file. */
async function contentOf(etcd: EtcdClient, key: string): Promise<string | undefined> {
  let nodes = 0;
  try {
    // Directory by directory: a subtree may be too large for one response.
    for await (const { node } of walkDirectories(etcd, key)) {
      if (!node.dir) return undefined;
      nodes += node.nodes?.length ?? 0;
    }
  } catch (error) {
    // A role may grant the removal and not the list.
    if (error instanceof UnauthorizedError) return "everything in it";
    throw error;
  }
  return `${count(nodes, "node")} below it, not counting hidden ones`;
}

export function rmdirCommand(): Command {
  return clientCommand("rmdir", "Remove an empty directory or a key.", "etcdnet rmdir /config/old")
    .argument("<key>")
    .action((key: string, _flags: object, command: Command) =>
      withSession(command, (session) => remove(session, requestOf(keyOf(key), { dir: true }))),
    );
}

async function remove({ etcd, format }: Session, request: KeyRequest): Promise<void> {
  const response = await etcd.execute(request);
  if (!response.node.dir || format !== "simple") printResponse(response, format);
}

/** As in etcdctl, an empty value and index 0 set no condition. */
function requestOf(key: string, flags: RmFlags): KeyRequest {
  const { dir = false, recursive = false, withValue = "", withIndex: prevIndex = 0 } = flags;
  if (withValue !== "") {
    const condition = prevIndex > 0 ? { prevIndex } : {};
    return { action: "compareAndDelete", key, prevValue: withValue, ...condition };
  }
  if (prevIndex > 0) return { action: "compareAndDelete", key, prevIndex };
  return { action: "delete", key, dir, recursive };
}
