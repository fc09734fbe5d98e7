import type { Command } from "commander";
import { topmostLoss } from "../../transfer/compare/loss.js";
import { ExportFormatError, type ExportHeader } from "../../transfer/export/export-format.js";
import { readEntries, verifyExport } from "../../transfer/export/read-export.js";
import { type Conflict, writeEntries } from "../../transfer/import/write-entries.js";
import { CommandError } from "../process/command-error.js";
import { errorLine } from "../process/failure.js";
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
  const header = await verify(session, input);
  if (flags.overwrite !== true) await refuseOtherData(session, header);
  await write(session, input);
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

async function verify({ etcd }: Session, input: ReplayableInput): Promise<ExportHeader> {
  const target = await etcd.keySpace.locate?.("/");
  try {
    return await verifyExport(input.read(), ({ key }) => {
      const loss = target && topmostLoss(key, target);
      if (loss !== undefined) throw new ExportFormatError(`${key} ${loss.reason}`);
    });
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

async function write({ etcd }: Session, input: ReplayableInput): Promise<void> {
  let written = 0;
  let conflicts = 0;
  await writeEntries(etcd, readEntries(input.read()), {
    onWritten: () => void written++,
    onConflict: (conflict) => {
      conflicts++;
      note(errorLine(describe(conflict)));
    },
  });
  note(`${written} keys and directories were written`);
  if (conflicts > 0) throw new CommandError(`${conflicts} skipped because of conflicts`);
}

function describe({ entry, at, found }: Conflict): string {
  const kind = entry.dir ? "directory" : "file";
  return `${entry.key}: is a ${kind} in the export, but ${at} is a ${found} in the target`;
}
