import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { replaceFile } from "../../files/replace-file.js";
import { exportTree } from "../../transfer/export/export-tree.js";
import { collect } from "../options/collect.js";
import { keyOf } from "../options/key-argument.js";
import { LossLines } from "../output/loss-lines.js";
import { exitCodeOfSignal } from "../process/exit-code.js";
import { untilInterrupted } from "../process/interrupt.js";
import { note } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface ExportFlags {
  readonly hidden?: readonly string[];
  readonly file?: string;
  readonly lossy?: boolean;
}

/** Names of standard output, which must be written to, not replaced. */
const STANDARD_OUTPUT: ReadonlySet<string> = new Set(["-", "/dev/stdout", "/dev/fd/1"]);

/** Time for an interrupted write to end: a write to a pipe without a reader never ends. */
const ABORT_TIMEOUT_MS = 1_000;

export function exportCommand(): Command {
  return clientCommand(
    "export",
    "Write a tree as JSON lines: values, directories, TTLs and indexes, and a checksum at the end. " +
      "Hidden keys (_...) are included only if you name them.",
    "etcdnet export /config --hidden /config/_locks --file config.jsonl",
  )
    .argument("[key]", "top of the tree (default: the root)")
    .option(
      "--hidden <key>",
      "hidden key to include, with everything below it; repeatable",
      collect,
    )
    .option(
      "--file <file>",
      "write to this file, not to standard output; only a complete export replaces it, and only you can read it",
    )
    .option(
      "--lossy",
      "continue if keys or values are not UTF-8: such keys are skipped, and each one is named",
    )
    .action((key: string | undefined, flags: ExportFlags, command: Command) =>
      withSession(command, (session) => exportTo(session, keyOf(key ?? "/"), flags)),
    );
}

async function exportTo(session: Session, key: string, flags: ExportFlags): Promise<void> {
  const { hidden = [], file = "-" } = flags;
  const keys = [key, ...hidden.map(keyOf)] as const;
  const losses = new LossLines({ note });
  const options = { lossy: flags.lossy === true, onLoss: losses.show };
  const source = session.etcd.keySpace;
  if (STANDARD_OUTPUT.has(file)) {
    await pipeline(exportTree(source, keys, options), process.stdout, { end: false });
    return;
  }
  using interrupt = untilInterrupted("SIGINT", "SIGTERM", "SIGHUP");
  const { signal } = interrupt;
  signal.addEventListener("abort", () =>
    setTimeout(endBy, ABORT_TIMEOUT_MS, signal.reason).unref(),
  );
  try {
    await replaceFile(file, exportTree(source, keys, { ...options, signal }), { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = exitCodeOfSignal(signal.reason);
  }
}

/** Sends the signal again: without a listener, it ends the process. */
function endBy(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
}
