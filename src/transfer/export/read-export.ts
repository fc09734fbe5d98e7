import { createHash } from "node:crypto";
import { textLines } from "../../stream/text-lines.js";
import type { TreeEntry } from "../source/tree-entry.js";
import {
  type ExportFooter,
  ExportFormatError,
  type ExportHeader,
  isFooter,
  readEntryOrFooter,
  readHeader,
} from "./export-format.js";

/**
 * The entries of an export, as they come: whether it is whole shows only at its end. Read it once
 * for that before anything is done with them.
 *
 * @throws ExportFormatError when it is cut off, altered, or something else
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
    if (isEnded) throw new ExportFormatError(`line ${number}: comes after the end of the export`);
    const value = number === 1 ? readHeader(line) : readEntryOrFooter(line, number);
    if (isFooter(value)) {
      checkFooter(value, number - 2, hash.digest("hex"));
      isEnded = true;
      continue;
    }
    hash.update(line).update("\n");
    if ("format" in value) onHeader?.(value);
    else yield value;
  }
  if (!isEnded) throw new ExportFormatError(`it is cut off after line ${number}`);
}

/** Reads an export to its end. @throws ExportFormatError when it cannot be trusted */
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
    // Exports are sorted. Two keys that are not UTF-8 may have been written as one.
    if (entry.key === last) throw new ExportFormatError(`it has two entries for ${last}`);
    last = entry.key;
    onEntry(entry);
  }
  if (header === undefined) throw new ExportFormatError("it has no header");
  return header;
}

function checkFooter({ entries, sha256 }: ExportFooter, count: number, digest: string): void {
  if (entries !== count) {
    throw new ExportFormatError(`it has ${count} entries, and had ${entries} when it was written`);
  }
  if (sha256 !== digest) {
    throw new ExportFormatError("it was altered: its checksum is not that of its end");
  }
}
