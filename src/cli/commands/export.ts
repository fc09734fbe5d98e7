import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { exportTree } from "../../transfer/export-tree.js";
import { append } from "../append.js";
import { clientCommand } from "../command.js";
import { keyOf } from "../key-argument.js";
import { type Session, withSession } from "../session.js";

interface ExportFlags {
  readonly hidden?: readonly string[];
  readonly file?: string;
}

export function exportCommand(): Command {
  return clientCommand(
    "export",
    "Write a tree as JSON lines: values, directories, TTLs and indexes, and at the end a checksum. " +
      "Hidden keys (_...) are taken along where they are named.",
    "etcdnet export /config --hidden /config/_locks --file config.jsonl",
  )
    .argument("[key]", "its top (default: the root)")
    .option(
      "--hidden <key>",
      "a hidden key to take along, with all below it; may be repeated",
      append,
    )
    .option("--file <file>", "instead of standard output; readable by you alone")
    .action((key: string | undefined, flags: ExportFlags, command: Command) =>
      withSession(command, (session) => exportTo(session, keyOf(key ?? "/"), flags)),
    );
}

async function exportTo({ etcd }: Session, key: string, { hidden = [], file }: ExportFlags) {
  const pieces = exportTree(etcd, [key, ...hidden.map(keyOf)]);
  if (file === undefined) await pipeline(pieces, process.stdout, { end: false });
  else await pipeline(pieces, createWriteStream(file, { mode: 0o600 }));
}
