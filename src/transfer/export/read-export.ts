import { createHash } from "node:crypto";
import { textLines } from "../../stream/text-lines.js";
import type { TreeEntry } from "../source/tree-entry.js";
import {
  type ExportFooter,
  ExportFormatError,
  type ExportHeader,
  isExportFooter,
  readEntryOrFooter,
  readHeader,
} from "./export-format.js";

/**
 * Yields the entries of an export. Only the end of the export shows whether it is complete: call
 * `verifyExport` before using the entries.
 *
 * @throws ExportFormatError when the input is truncated, altered, or not an export
 */
export async function* readEntries(
  pieces: AsyncIterable<string>,
  onHeader?: (header: ExportHeader) => void,
): AsyncGenerator<TreeEntry, void, undefined> {
  const hash = createHash("sha256");
  let number = 0;
  let isEnded = false;
  for await (const line of textLines(pieces)) {
    number++;
    if (isEnded) throw new ExportFormatError(`line ${number}: is after the footer of the export`);
    const value = number === 1 ? readHeader(line) : readEntryOrFooter(line, number);
    if (isExportFooter(value)) {
      checkFooter(value, number - 2, hash.digest("hex"));
      isEnded = true;
      continue;
    }
    hash.update(line).update("\n");
    if ("format" in value) onHeader?.(value);
    else yield value;
  }
  if (!isEnded) throw new ExportFormatError(`the export is truncated after line ${number}`);
}

/** Reads a complete export. @throws ExportFormatError when it is invalid */
export async function verifyExport(
  pieces: AsyncIterable<string>,
  onEntry: (entry: TreeEntry) => void = () => {},
): Promise<ExportHeader> {
  let header: ExportHeader | undefined;
  const entries = readEntries(pieces, (found) => {
    header = found;
  });
  let last: string | undefined;
  for await (const entry of entries) {
    // Exports are sorted. Two keys that are not UTF-8 may look equal.
    if (entry.key === last) throw new ExportFormatError(`the export has two entries for ${last}`);
    last = entry.key;
    onEntry(entry);
  }
  if (header === undefined) throw new ExportFormatError("the export has no header");
  return header;
}

function checkFooter({ entries, sha256 }: ExportFooter, count: number, digest: string): void {
  if (entries !== count) {
    throw new ExportFormatError(`the export has ${count} entries, but its footer says ${entries}`);
  }
  if (sha256 !== digest) {
    throw new ExportFormatError("the export was altered: its checksum differs from its footer");
  }
}
