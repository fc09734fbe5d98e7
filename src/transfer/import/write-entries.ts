import { NodeExistError, NotDirError, NotFileError } from "../../errors/common-errors.js";
import type { CallOptions, KeySpace } from "../../key-space/key-space.js";
import { forEachConcurrent } from "../source/for-each-concurrent.js";
import type { TreeEntry } from "../source/tree-entry.js";

/** What is written to: a key space, or a client. */
export type Target = Pick<KeySpace, "execute">;

/** An entry that could not be written, as what stands there is of the other kind. */
export interface Conflict {
  readonly entry: TreeEntry;
  /** The key that is in the way: the entry's own, or a parent. */
  readonly at: string;
  /** What is there. */
  readonly found: "file" | "directory";
}

export interface WriteEntriesOptions extends CallOptions {
  /**
   * Writes that are under way at the same time.
   *
   * @default 32
   */
  readonly concurrency?: number;
  /** Told of each entry that was written. */
  readonly onWritten?: (entry: TreeEntry) => void;
  /** Told of each entry that was left out because of a conflict. */
  readonly onConflict: (conflict: Conflict) => void;
}

/**
 * Writes entries over what is there: files get the value and the TTL, directories are made where
 * they are missing and get the TTL if there is one. Nothing is removed, and nothing ever changes
 * from a file to a directory or back. Writing the same entries again is harmless.
 *
 * @throws EtcdError for the first write that fails otherwise, when those under way have ended
 */
export async function writeEntries(
  target: Target,
  entries: AsyncIterable<TreeEntry>,
  { concurrency = 32, signal, onWritten, onConflict }: WriteEntriesOptions,
): Promise<void> {
  await forEachConcurrent(entries, concurrency, async (entry) => {
    const write = entry.dir ? writeDirectory : writeFile;
    const conflict = await orConflict(entry, write(target, entry, { signal }));
    if (conflict === undefined) onWritten?.(entry);
    else onConflict(conflict);
  });
}

type ConflictingNode = Conflict["found"] | undefined;

async function writeFile(
  target: Target,
  entry: TreeEntry,
  call: CallOptions,
): Promise<ConflictingNode> {
  const { key, value = "" } = entry;
  try {
    const write = {
      action: "set",
      key,
      value,
      ...lifetime(entry),
      noValueOnSuccess: true,
    } as const;
    await target.execute(write, call);
    return undefined;
  } catch (error) {
    if (error instanceof NotFileError) return "directory";
    throw error;
  }
}

/** Not by a plain set, which would turn a file into a directory. */
async function writeDirectory(
  target: Target,
  entry: TreeEntry,
  call: CallOptions,
): Promise<ConflictingNode> {
  const directory = {
    key: entry.key,
    dir: true,
    ...lifetime(entry),
    noValueOnSuccess: true,
  } as const;
  try {
    await target.execute({ action: "create", ...directory }, call);
    return undefined;
  } catch (error) {
    if (!(error instanceof NodeExistError)) throw error;
  }
  const { node } = await target.execute({ action: "get", key: entry.key, quorum: true }, call);
  if (!node.dir) return "file";
  if (entry.ttl !== undefined) await target.execute({ action: "update", ...directory }, call);
  return undefined;
}

function lifetime({ ttl }: TreeEntry): { readonly ttl?: number } {
  return ttl === undefined ? {} : { ttl };
}

async function orConflict(
  entry: TreeEntry,
  writing: Promise<ConflictingNode>,
): Promise<Conflict | undefined> {
  try {
    const found = await writing;
    return found === undefined ? undefined : { entry, at: entry.key, found };
  } catch (error) {
    if (error instanceof NotDirError) return { entry, at: error.detail, found: "file" };
    throw error;
  }
}
