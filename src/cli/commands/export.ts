import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { replaceFile } from "../../files/replace-file.js";
import { exportTree } from "../../transfer/export/export-tree.js";
import { clientOptionsOf } from "../options/client-options.js";
import { collect } from "../options/collect.js";
import { keyOf } from "../options/key-argument.js";
import { LossLines } from "../output/loss-lines.js";
import { countedNodes, WorkLine } from "../output/work-line.js";
import { exitCodeOfSignal } from "../process/exit-code.js";
import { untilInterrupted } from "../process/interrupt.js";
import { note } from "../process/print.js";
import { withFailureReport } from "../process/with-failure-report.js";
import { clientCommand } from "./client-command.js";
import {
  type DataDirFlags,
  exportDataDir,
  refuseClusterOptions,
  requireNoFileFlags,
} from "./export-data-dir.js";
import { type Session, withSession } from "./session.js";

interface ExportFlags extends DataDirFlags {
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
    .option(
      "--data-dir <dir>",
      "read the files of a stopped etcd member (--data-dir of etcd 3.4 or 3.5), with all hidden keys, " +
        "not a running cluster",
    )
    .option("--wal-dir <dir>", "with --data-dir: the directory of etcd's --wal-dir")
    .option(
      "--uncommitted",
      "with --data-dir: include the last changes that the member has not recorded as committed",
    )
    .option(
      "--at-stop",
      "with --data-dir: count TTLs from the time when the member stopped, and include keys that have expired since",
    )
    .option(
      "--until-damage",
      "with --data-dir: if the log is damaged, export the state before the damage",
    )
    .action((key: string | undefined, flags: ExportFlags, command: Command) =>
      flags.dataDir === undefined
        ? withSession(command, (session) => exportTo(session, keyOf(key ?? "/"), flags))
        : withFailureReport(clientOptionsOf(command).options.debug, () =>
            exportFiles(command, keyOf(key ?? "/"), flags),
          ),
    );
}

async function exportTo(session: Session, key: string, flags: ExportFlags): Promise<void> {
  requireNoFileFlags(flags);
  const { hidden = [] } = flags;
  const keys = [key, ...hidden.map(keyOf)] as const;
  const source = session.etcd.keySpace;
  const isShown = !isOnTerminal(flags);
  using line = new WorkLine("exporting", isShown);
  const options = { ...lossOptionsOf(flags, line), onProgress: (n: number) => line.update(n) };
  await write(flags, line, async function* (signal) {
    if (isShown) line.total = await countedNodes(source, keys, signal);
    yield* exportTree(source, keys, { ...options, signal });
  });
}

async function exportFiles(command: Command, key: string, flags: ExportFlags): Promise<void> {
  refuseClusterOptions(command);
  if (flags.hidden !== undefined) {
    throw new Error(
      "--hidden is not needed with --data-dir: all hidden keys are included; omit it",
    );
  }
  const isShown = !isOnTerminal(flags);
  using line = new WorkLine("exporting", isShown);
  const options = { ...lossOptionsOf(flags, line), onProgress: (n: number) => line.update(n) };
  // Nothing else can be shown meanwhile, because the files are read at once.
  if (isShown && process.stderr.isTTY) line.hint("reading the files of the member");
  const { pieces, total, notes } = exportDataDir(key, flags, options);
  line.clear();
  line.total = total;
  await write(flags, line, () => pieces);
  for (const line of notes) note(line);
}

/** Whether the export itself appears on a terminal. */
function isOnTerminal({ file = "-" }: ExportFlags): boolean {
  return STANDARD_OUTPUT.has(file) && process.stdout.isTTY === true;
}

function lossOptionsOf({ lossy = false }: ExportFlags, line: WorkLine) {
  return { lossy, onLoss: new LossLines(line).show };
}

/** Writes the text of an export to the file, or to standard output. */
async function write(
  { file = "-" }: ExportFlags,
  line: WorkLine,
  text: (signal?: AbortSignal) => AsyncIterable<string>,
): Promise<void> {
  if (STANDARD_OUTPUT.has(file)) {
    await pipeline(text(), process.stdout, { end: false });
    return;
  }
  using interrupt = untilInterrupted("SIGINT", "SIGTERM", "SIGHUP");
  const { signal } = interrupt;
  line.announce(interrupt, "ending the export; the file is left unchanged");
  signal.addEventListener("abort", () =>
    setTimeout(endBy, ABORT_TIMEOUT_MS, signal.reason).unref(),
  );
  try {
    await replaceFile(file, text(signal), { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = exitCodeOfSignal(signal.reason);
  }
}

/** Sends the signal again: without a listener, it ends the process. */
function endBy(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
}
