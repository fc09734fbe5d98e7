import { createHash } from "node:crypto";
import { type AuthRecords, authRecordsOf } from "../../data-dir/auth-records.js";
import { bytesOf, textOf } from "../../data-dir/bytes.js";
import type { MemberData } from "../../data-dir/read-member-data.js";
import { errorDefinition, serverErrorOf } from "../../errors/error-table.js";
import type { SnapshotNode } from "../../key-space/memory/store-walk.js";
import { isHidden, parentPath, pathOf } from "../../key-space/shared/path.js";
import { lossOf } from "../compare/loss.js";
import { Losses } from "../compare/losses.js";
import { isReplaced } from "../source/replaced-text.js";
import type { TreeEntry } from "../source/tree-entry.js";
import { exportHeaderOf, exportLineOf } from "./export-format.js";
import type { ExportOptions } from "./export-tree.js";

/** The directory of etcd's v2 store that has the keys. */
const KEYS = "/1";

/** Number of entries in one piece of the text. */
const PIECE_ENTRIES = 1_000;

export interface ExportMemberOptions
  extends Pick<ExportOptions, "lossy" | "onLoss" | "onProgress"> {
  /** The time from which the remaining TTLs count, in milliseconds since 1970. */
  readonly time: number;
}

/** The text of an export. */
export interface MemberExport {
  readonly pieces: AsyncIterable<string>;
  /** Number of nodes in it. */
  readonly total: number;
  /** Number of nodes that are left out because their TTL, or that of a directory above, has run out. */
  readonly expired: number;
}

/**
 * Exports a tree from the files of a member, with all hidden keys in it. They are named in the header, after
 * `key`, and their entries follow those that etcd lists.
 *
 * @throws KeyNotFoundError when `key` does not exist
 * @throws TransferRefusedError for keys and values that are not UTF-8, unless `lossy`
 */
export function exportMember(
  data: MemberData,
  key: string,
  { time, lossy = false, onLoss, onProgress }: ExportMemberOptions,
): MemberExport {
  const top = KEYS + bytesOf(pathOf(key));
  const stored = data.store.nodes
    .filter(([path]) => path !== KEYS && (path === top || path.startsWith(`${top}/`)))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (stored[0]?.[0] !== top && top !== KEYS) throw keyNotFound(data, key);
  const present = stored.filter(aliveAt(time));
  const losses = new Losses(lossy, onLoss);
  const named = present.filter(([path, value]) => {
    const shown = textOf(path.slice(KEYS.length));
    if (isReplaced(shown)) losses.record(lossOf(shown, "unnamed"));
    else if (isReplaced(textOf(value ?? ""))) losses.record(lossOf(shown, "replaced"));
    return !isReplaced(shown);
  });
  losses.check();
  const hidden = named.map(([path]) => hiddenTopOf(path, top));
  const tops = new Set(hidden.filter((path) => path !== undefined));
  const ordered = [...named.filter((_, at) => !hidden[at]), ...named.filter((_, at) => hidden[at])];
  const keys = [key, ...[...tops].map((path) => textOf(path.slice(KEYS.length)))];
  const entries = ordered.map((node) => entryOfNode(node, time));
  return {
    pieces: piecesOf(data, keys, entries, onProgress),
    total: entries.length,
    expired: stored.length - present.length,
  };
}

/** Tells which nodes exist at a time, if parents come first. */
function aliveAt(time: number): (node: SnapshotNode) => boolean {
  const expired = new Set<string>();
  return ([path, value, , , expiration]) => {
    const isExpired =
      (expiration !== null && expiration <= time) || (expired.size > 0 && isBelow(path, expired));
    if (isExpired && value === null) expired.add(path);
    return !isExpired;
  };
}

function isBelow(path: string, directories: ReadonlySet<string>): boolean {
  return directories.has(parentPath(path));
}

/** The topmost hidden node on the path from `top` to a node; undefined if there is none. */
function hiddenTopOf(path: string, top: string): string | undefined {
  for (let end = path.indexOf("/", top.length); end !== -1; ) {
    const next = path.indexOf("/", end + 1);
    const above = next === -1 ? path : path.slice(0, next);
    if (isHidden(above)) return above;
    end = next;
  }
  return undefined;
}

function entryOfNode(
  [path, value, createdIndex, modifiedIndex, expiration]: SnapshotNode,
  time: number,
): TreeEntry {
  return {
    key: textOf(path.slice(KEYS.length)),
    ...(value === null ? { dir: true } : { value: textOf(value) }),
    ...(expiration !== null && { ttl: Math.max(Math.ceil((expiration - time) / 1000), 1) }),
    createdIndex,
    modifiedIndex,
  };
}

async function* piecesOf(
  { clusterId, store }: MemberData,
  keys: readonly string[],
  entries: readonly TreeEntry[],
  onProgress?: (exported: number) => void,
): AsyncGenerator<string, void, undefined> {
  const hash = createHash("sha256");
  const auth: AuthRecords | undefined = authRecordsOf(store);
  let piece = exportLineOf(exportHeaderOf({ clusterId, index: store.index, keys, auth }));
  for (let at = 0; at < entries.length; at += PIECE_ENTRIES) {
    piece += entries
      .slice(at, at + PIECE_ENTRIES)
      .map(exportLineOf)
      .join("");
    hash.update(piece);
    yield piece;
    onProgress?.(Math.min(at + PIECE_ENTRIES, entries.length));
    piece = "";
  }
  hash.update(piece);
  yield `${piece}${exportLineOf({ entries: entries.length, sha256: hash.digest("hex") })}`;
}

function keyNotFound({ directory, clusterId, store }: MemberData, key: string): Error {
  return serverErrorOf({
    ...errorDefinition(100),
    errorCode: 100,
    detail: key,
    index: store.index,
    key,
    operation: `GET ${key}`,
    endpoint: directory,
    clusterId,
  });
}
