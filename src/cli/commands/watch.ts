import { styleText } from "node:util";
import type { Command } from "commander";
import type { EtcdResponse } from "../../model/response.js";
import type { OutputFormat } from "../options/client-options.js";
import { keyOf } from "../options/key-argument.js";
import { parseWholeNumber } from "../options/whole-number.js";
import { printResponse } from "../output/print-response.js";
import { untilInterrupted } from "../process/interrupt.js";
import { print } from "../process/print.js";
import { changesOf, nextChange } from "./changes.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface WatchFlags {
  readonly forever?: boolean;
  readonly recursive?: boolean;
  readonly afterIndex?: number;
}

export function watchCommand(): Command {
  return clientCommand(
    "watch",
    "Wait for a change of a key and print it. Changes of directories themselves are ignored.",
    "etcdnet watch --forever --recursive /config",
  )
    .argument("<key>")
    .option("-f, --forever", "continue until Ctrl-C, even if members or connections fail")
    .option("-r, --recursive", "include all keys below the key")
    .option(
      "--after-index <index>",
      "start with the first change after this index (default: now)",
      parseWholeNumber,
    )
    .action((key: string, flags: WatchFlags, command: Command) =>
      withSession(command, (session) => watch(session, keyOf(key), flags)),
    );
}

async function watch({ etcd, format }: Session, key: string, flags: WatchFlags): Promise<void> {
  const { forever = false, recursive = false, afterIndex = 0 } = flags;
  using interrupt = untilInterrupted("SIGINT");
  const { signal } = interrupt;
  if (!forever) {
    const change = await nextChange(etcd, key, { recursive, afterIndex }, signal);
    if (change !== undefined) printChange(change, recursive, format);
    return;
  }
  for await (const change of changesOf(etcd, key, { recursive, afterIndex }, signal)) {
    if (!change.node.dir) printChange(change, recursive, format);
  }
}

function printChange(change: EtcdResponse, recursive: boolean, format: OutputFormat): void {
  if (recursive) print(`${styleText("green", `[${change.action}]`)} ${change.node.key}`);
  printResponse(change, format);
}
