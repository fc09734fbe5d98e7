import type { Command } from "commander";
import { topmostLoss } from "../../transfer/compare/loss.js";
import { ExportFormatError, type ExportHeader } from "../../transfer/export/export-format.js";
import { readEntries, verifyExport } from "../../transfer/export/read-export.js";
import { type Conflict, writeEntries } from "../../transfer/import/write-entries.js";
import { ofTotal } from "../output/count-text.js";
import { WorkLine } from "../output/work-line.js";
import { CommandError } from "../process/command-error.js";
import { exitCodeOfSignal } from "../process/exit-code.js";
import { errorLine } from "../process/failure.js";
import { untilInterrupted } from "../process/interrupt.js";
import { note } from "../process/print.js";
import { ReplayableInput } from "../process/replayable-input.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface ImportFlags {
  readonly overwrite?: boolean;
}

export function importCommand(): Command {
  return clientCommand(
    "import",
    "Write an export to the same keys. The complete export is checked before anything is written. TTLs " +
      "continue with the time that was left at the export.",
    "etcdnet import config.jsonl --endpoints http://10.0.0.1:2379",
  )
    .argument("[file]", "file to read; default, or -: standard input")
    .option("--overwrite", "overwrite existing keys; nothing is removed")
    .action((file: string | undefined, flags: ImportFlags, command: Command) =>
      withSession(command, (session) => importFrom(session, file, flags)),
    );
}

async function importFrom(session: Session, file: string | undefined, flags: ImportFlags) {
  await using input = await openInput(file);
  const { header, entries } = await verify(session, input);
  if (flags.overwrite !== true) await refuseOtherData(session, header);
  await write(session, input, entries);
  noteAuth(header);
}

/** Passwords are not in an export, so users cannot be created from it. */
function noteAuth({ auth }: ExportHeader): void {
  const { users = [], roles = [] } = auth ?? {};
  if (users.length === 0 && roles.length === 0) return;
  note(
    `${users.length} users and ${roles.length} roles in the export were not written, because it has no ` +
      "passwords: create them with etcdnet role and etcdnet user",
  );
}

function openInput(file = "-"): Promise<ReplayableInput> {
  return file === "-"
    ? ReplayableInput.of("standard input", process.stdin)
    : ReplayableInput.open(file);
}

/** A complete export. */
interface Verified {
  readonly header: ExportHeader;
  readonly entries: number;
}

async function verify({ etcd }: Session, input: ReplayableInput): Promise<Verified> {
  const target = await etcd.keySpace.locate?.("/");
  let entries = 0;
  try {
    const header = await verifyExport(input.read(), ({ key }) => {
      entries++;
      const loss = target && topmostLoss(key, target);
      if (loss !== undefined) throw new ExportFormatError(`${key} ${loss.reason}`);
    });
    return { header, entries };
  } catch (error) {
    if (!(error instanceof ExportFormatError)) throw error;
    throw new Error(`${input.name}: ${error.message}; nothing was written`, { cause: error });
  }
}

async function refuseOtherData({ etcd }: Session, { keys }: ExportHeader): Promise<void> {
  for (const key of keys) {
    const { node } = (await etcd.getNode(key, { quorum: true, ignoreKeyNotFound: true })) ?? {};
    if (node === undefined || (node.dir && (node.nodes ?? []).length === 0)) continue;
    throw new Error(
      `${key}: already has data; use --overwrite to overwrite it. Nothing was written`,
    );
  }
}

async function write({ etcd }: Session, input: ReplayableInput, total: number): Promise<void> {
  using interrupt = untilInterrupted("SIGINT", "SIGTERM", "SIGHUP");
  using line = new WorkLine("importing");
  line.total = total;
  line.announce(interrupt, "ending the import after the writes that are under way");
  let written = 0;
  let conflicts = 0;
  await writeEntries(etcd, untilAborted(readEntries(input.read()), interrupt.signal), {
    onWritten: () => line.update(++written),
    onConflict: (conflict) => {
      conflicts++;
      line.note(errorLine(describe(conflict)));
    },
  });
  if (interrupt.signal.aborted && written + conflicts < total) {
    line.note(`stopped: ${ofTotal(written, total)} were written; run it again with --overwrite`);
    process.exitCode = exitCodeOfSignal(interrupt.signal.reason);
    return;
  }
  line.note(`${written} keys and directories were written`);
  if (conflicts > 0) throw new CommandError(`${conflicts} skipped because of conflicts`);
}

/** Ends between two entries, so that no write has an unknown outcome. */
async function* untilAborted<T>(entries: AsyncIterable<T>, signal: AbortSignal) {
  for await (const entry of entries) {
    if (signal.aborted) return;
    yield entry;
  }
}

function describe({ entry, at, found }: Conflict): string {
  const kind = entry.dir ? "directory" : "file";
  return `${entry.key}: is a ${kind} in the export, but ${at} is a ${found} in the target`;
}
