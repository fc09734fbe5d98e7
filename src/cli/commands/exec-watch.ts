import type { Command } from "commander";
import type { EtcdResponse } from "../../model/response.js";
import { keyOf } from "../options/key-argument.js";
import { parseWholeNumber } from "../options/whole-number.js";
import { runChild } from "../process/child.js";
import { untilInterrupted } from "../process/interrupt.js";
import { note } from "../process/print.js";
import { changesOf } from "./changes.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface ExecWatchFlags {
  readonly recursive?: boolean;
  readonly afterIndex?: number;
}

export function execWatchCommand(): Command {
  return clientCommand(
    "exec-watch",
    "Run a program for every change of a key, one after the other, until Ctrl-C. The environment has the " +
      "change: ETCD_WATCH_ACTION, ETCD_WATCH_MODIFIED_INDEX, ETCD_WATCH_KEY and ETCD_WATCH_VALUE.",
    "etcdnet exec-watch --recursive /config -- sh -c 'echo \"$ETCD_WATCH_KEY\"'",
  )
    .argument("<key>")
    .argument("<program...>", "program with its arguments, after --")
    .option("-r, --recursive", "include all keys below the key")
    .option(
      "--after-index <index>",
      "start with the first change after this index (default: now)",
      parseWholeNumber,
    )
    .action((key: string, program: string[], flags: ExecWatchFlags, command: Command) =>
      withSession(command, (session) => execWatch(session, keyOf(key), program, flags)),
    );
}

async function execWatch(
  { etcd }: Session,
  key: string,
  program: readonly string[],
  { recursive = false, afterIndex = 0 }: ExecWatchFlags,
): Promise<void> {
  using interrupt = untilInterrupted("SIGINT");
  for await (const change of changesOf(etcd, key, { recursive, afterIndex }, interrupt.signal)) {
    if (change.node.dir) note(`Ignored dir ${change.node.key} change`);
    else await runChild(program, environmentOf(change)).ended;
  }
}

function environmentOf({ action, node }: EtcdResponse): NodeJS.ProcessEnv {
  return {
    ETCD_WATCH_ACTION: action,
    ETCD_WATCH_MODIFIED_INDEX: String(node.modifiedIndex),
    ETCD_WATCH_KEY: node.key,
    ETCD_WATCH_VALUE: node.value ?? "",
  };
}
