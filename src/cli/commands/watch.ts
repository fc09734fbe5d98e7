import { styleText } from "node:util";
import type { Command } from "commander";
import type { EtcdResponse } from "../../model/response.js";
import { systemClock } from "../../time/clock.js";
import type { OutputFormat } from "../options/client-options.js";
import { keyOf } from "../options/key-argument.js";
import { parseWholeNumber } from "../options/whole-number.js";
import { isRecordFormat, printChange } from "../output/print-response.js";
import { untilInterrupted } from "../process/interrupt.js";
import { print } from "../process/print.js";
import { changesOf, nextChange } from "./changes.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface WatchFlags {
  readonly forever?: boolean;
  readonly recursive?: boolean;
  readonly afterIndex?: number;
  readonly timestamps?: boolean;
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
    .option(
      "--timestamps",
      "print the time at which each change arrives, by the clock of this machine",
    )
    .action((key: string, flags: WatchFlags, command: Command) =>
      withSession(command, (session) => watch(session, keyOf(key), flags)),
    );
}

async function watch({ etcd, format }: Session, key: string, flags: WatchFlags): Promise<void> {
  const { forever = false, recursive = false, afterIndex = 0 } = flags;
  const show = (change: EtcdResponse): void => showChange(change, format, flags);
  using interrupt = untilInterrupted("SIGINT");
  const { signal } = interrupt;
  if (!forever) {
    const change = await nextChange(etcd, key, { recursive, afterIndex }, signal);
    if (change !== undefined) show(change);
    return;
  }
  for await (const change of changesOf(etcd, key, { recursive, afterIndex }, signal)) {
    if (!change.node.dir) show(change);
  }
}

function showChange(change: EtcdResponse, format: OutputFormat, flags: WatchFlags): void {
  const { recursive = false, timestamps = false } = flags;
  const time = timestamps ? new Date(systemClock.now()).toISOString() : undefined;
  if ((recursive || timestamps) && !isRecordFormat(format)) {
    const before = time === undefined ? "" : `${styleText("dim", time)} `;
    print(`${before}${styleText("green", `[${change.action}]`)} ${change.node.key}`);
  }
  printChange(change, format, time);
}
