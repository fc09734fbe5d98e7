import type { Command } from "commander";
import type { KeyHistory } from "../../key-space/past.js";
import { keyOf } from "../options/key-argument.js";
import { parsePositive } from "../options/whole-number.js";
import { ListPrinter } from "../output/list-printer.js";
import { oneLine } from "../output/one-line.js";
import {
  compactedRecord,
  keyedPastLine,
  type PastRecord,
  pastLine,
  pastRecord,
} from "../output/past-change-text.js";
import type { RecordView } from "../output/print-records.js";
import { valueText } from "../output/value-text.js";
import { ExitCode } from "../process/exit-code.js";
import { note } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";
import { requirePast } from "./session-at.js";

interface HistoryFlags {
  readonly recursive?: boolean;
  readonly last?: number;
}

export function historyCommand(): Command {
  return clientCommand(
    "history",
    "Print every change of a key that etcd still has, oldest first: with --api v3, as etcd's v2 API keeps no " +
      "earlier values. A directory has the changes of itself; with --recursive, also of everything below it. The " +
      "exit code is 1 if there is none.",
    "etcdnet history --api v3 /config/mail/host",
  )
    .argument("<key>")
    .option("-r, --recursive", "include everything below the key, except hidden keys")
    .option("-n, --last <count>", "only the last changes", parsePositive)
    .action((key: string, flags: HistoryFlags, command: Command) =>
      withSession(command, (session) => history(session, keyOf(key), flags)),
    );
}

async function history(
  session: Session,
  key: string,
  { last, recursive = false }: HistoryFlags,
): Promise<void> {
  requirePast(session, "history");
  const opened = await session.etcd.history(key, { recursive });
  const records = recursive ? changesOf(opened) : recordsOf(opened);
  const printer = new ListPrinter(session.format, recursive ? TREE_HISTORY : HISTORY);
  for await (const record of last === undefined ? records : lastOf(records, last)) {
    printer.take(record);
  }
  printer.end();
  if (!opened.isComplete) {
    note(`etcd has compacted its history: changes up to index ${opened.firstIndex - 1} are gone`);
  }
  if (printer.count > 0) return;
  const since = opened.isComplete ? "" : ` since index ${opened.firstIndex}`;
  note(`etcd has no change ${recursive ? "at or below" : "of"} ${oneLine(key)}${since}`);
  process.exitCode = ExitCode.nothingFound;
}

async function* recordsOf(history: KeyHistory): AsyncGenerator<PastRecord, void, undefined> {
  if (history.initial !== undefined) yield compactedRecord(history);
  yield* changesOf(history);
}

async function* changesOf(history: KeyHistory): AsyncGenerator<PastRecord, void, undefined> {
  for await (const change of history) yield pastRecord(change);
}

async function* lastOf(
  records: AsyncIterable<PastRecord>,
  count: number,
): AsyncGenerator<PastRecord, void, undefined> {
  const kept: PastRecord[] = [];
  for await (const record of records) {
    kept.push(record);
    if (kept.length > count) kept.shift();
  }
  yield* kept;
}

const HISTORY: RecordView<PastRecord> = {
  line: pastLine,
  head: ["INDEX", "ACTION", "VALUE", "PREVIOUS", "EXPIRES", "BY"],
  row: rowOf,
};

/** The history of several keys. */
const TREE_HISTORY: RecordView<PastRecord> = {
  line: keyedPastLine,
  head: ["INDEX", "ACTION", "KEY", "VALUE", "PREVIOUS", "EXPIRES", "BY"],
  row: (record) => rowOf(record).toSpliced(2, 0, oneLine(record.node?.key ?? "")),
};

function rowOf({ index, action, node, prevNode, by = "" }: PastRecord): readonly string[] {
  const shown = (value: string | undefined): string =>
    value === undefined ? "" : valueText(value);
  return [
    ...[String(index), action, shown(node?.value), shown(prevNode?.value)],
    ...[node?.expiration ?? "", oneLine(by)],
  ];
}
