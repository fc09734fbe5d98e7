import type { AuthRecords } from "../../data-dir/auth-records.js";
import { isCount, isObject } from "../../wire/json.js";
import type { TreeEntry } from "../source/tree-entry.js";

/**
 * The first line. An export is JSON lines: a header, one entry for each node with parents first, and
 * a footer with the number of entries and the SHA-256 of everything before its line.
 */
export interface ExportHeader {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** The cluster that was read. */
  readonly clusterId: string;
  /** Index at the start of the read. Later changes may or may not be contained. */
  readonly index: number;
  /** The keys that were read, with everything below them. */
  readonly keys: readonly string[];
  /** Users and roles, without passwords; only in an export from the files of a member. */
  readonly auth?: AuthRecords | undefined;
}

/** The last line. */
export interface ExportFooter {
  readonly entries: number;
  readonly sha256: string;
}

/** The input is damaged, or not an export. */
export class ExportFormatError extends Error {
  override readonly name = "ExportFormatError";
}

const FORMAT = "etcdnet export";
const VERSION = 1;

export function exportHeaderOf(
  header: Pick<ExportHeader, "clusterId" | "index" | "keys" | "auth">,
): ExportHeader {
  return { format: FORMAT, version: VERSION, ...header };
}

export function exportLineOf(value: ExportHeader | TreeEntry | ExportFooter): string {
  return `${JSON.stringify(value)}\n`;
}

/** @throws ExportFormatError */
export function readHeader(line: string): ExportHeader {
  const value = readLine(line, 1);
  if (!isObject(value) || value.format !== FORMAT) {
    throw new ExportFormatError("line 1: this is not an export of etcdnet");
  }
  if (value.version !== VERSION) {
    throw new ExportFormatError(
      `line 1: export version ${value.version} is not supported; this release reads version ${VERSION}`,
    );
  }
  if (!isHeader(value)) throw new ExportFormatError("line 1: the header is not complete");
  return value;
}

/** An entry, or the footer. @throws ExportFormatError naming the line */
export function readEntryOrFooter(line: string, number: number): TreeEntry | ExportFooter {
  const value = readLine(line, number);
  if (isEntry(value) || isExportFooter(value)) return value;
  throw new ExportFormatError(`line ${number}: is neither an entry nor the footer of an export`);
}

function readLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new ExportFormatError(`line ${number}: is truncated, or is not JSON`, { cause });
  }
}

function isHeader(value: object): value is ExportHeader {
  const { clusterId, index, keys, auth } = value as Partial<ExportHeader>;
  return (
    (auth === undefined || (Array.isArray(auth.users) && Array.isArray(auth.roles))) &&
    typeof clusterId === "string" &&
    isCount(index) &&
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.every(isKey)
  );
}

function isEntry(value: unknown): value is TreeEntry {
  if (!isObject(value) || !isKey(value.key)) return false;
  const { dir, value: text, ttl, createdIndex, modifiedIndex } = value;
  const isNode = dir === true ? text === undefined : dir === undefined && typeof text === "string";
  return (
    isNode && (ttl === undefined || isCount(ttl)) && [createdIndex, modifiedIndex].every(isCount)
  );
}

export function isExportFooter(value: unknown): value is ExportFooter {
  return isObject(value) && isCount(value.entries) && typeof value.sha256 === "string";
}

function isKey(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("/");
}
