import { NodeExistError, NotDirError, NotFileError } from "../../errors/common-errors.js";
import type { CallOptions } from "../../key-space/call-options.js";
import type { KeySpace } from "../../key-space/key-space.js";
import { forEachConcurrent } from "../source/for-each-concurrent.js";
import type { TreeEntry } from "../source/tree-entry.js";

/** The target of writes: a key space, or a client. */
export type Target = Pick<KeySpace, "execute">;

/** An entry that could not be written, because a node of the other kind exists. */
export interface Conflict {
  readonly entry: TreeEntry;
  /** The key of that node: that of the entry, or a parent. */
  readonly at: string;
  /** The kind of that node. */
  readonly found: "file" | "directory";
}

export interface WriteEntriesOptions extends CallOptions {
  /**
   * Number of concurrent writes.
   *
   * @default 32
   */
  readonly concurrency?: number;
  /** Called for each entry that was written. */
  readonly onWritten?: (entry: TreeEntry) => void;
  /** Called for each entry that was left out because of a conflict. */
  readonly onConflict: (conflict: Conflict) => void;
}

/**
 * Writes entries over existing nodes. Files get the value and the TTL. Missing directories are
 * created; directories get the TTL of the entry, if any. Nothing is removed, and a file never becomes
 * a directory, nor a directory a file. Writing the same entries again is harmless.
 *
 * @throws EtcdError for the first write that fails for another reason, after the running ones have
 *   ended
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

/** Does not use a plain `set`, which would turn a file into a directory. */
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
