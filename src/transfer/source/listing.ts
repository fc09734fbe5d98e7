import { KeyNotFoundError, NotDirError } from "../../errors/common-errors.js";
import type { CallOptions } from "../../key-space/call-options.js";
import type { KeySpace } from "../../key-space/key-space.js";
import type { GetRequest } from "../../model/key-request.js";
import type { AnyNode } from "../../model/node.js";
import { forEachConcurrent } from "./for-each-concurrent.js";
import { isReplaced } from "./replaced-text.js";
import { entryOf, type TreeEntry } from "./tree-entry.js";

/** A node and its children at one point in time. */
export interface DirectoryListing {
  /** The node itself, also for the root; `undefined`: it does not exist. */
  readonly self: TreeEntry | undefined;
  /** Its children without hidden nodes and without those of {@link unnamed}. */
  readonly children: ReadonlyMap<string, TreeEntry>;
  /**
   * Keys of children that are not UTF-8. etcd v2 shows U+FFFD in place of such bytes. They cannot be
   * requested, and several of them may look equal.
   */
  readonly unnamed: readonly string[];
}

type Readable = Pick<KeySpace, "execute">;

export const EMPTY_LISTING: DirectoryListing = {
  self: undefined,
  children: new Map(),
  unnamed: [],
};

const MAX_CONCURRENT_READS = 8;

/** Reads a node and its children with quorum. */
export async function list(
  keySpace: Readable,
  key: string,
  options: CallOptions,
): Promise<DirectoryListing> {
  const node = await read(keySpace, key, options);
  if (node === undefined) return EMPTY_LISTING;
  const keys = (node.nodes ?? []).map((child) => child.key);
  const unnamed = await unnamedOf(keySpace, keys, options);
  if (unnamed.size === 0) return listingOf(node, unnamed);
  // A key that was deleted between the listing and its own read has a name. The new listing omits it.
  const again = await read(keySpace, key, options);
  return again === undefined ? EMPTY_LISTING : listingOf(again, unnamed);
}

async function read(
  keySpace: Readable,
  key: string,
  options: CallOptions,
): Promise<AnyNode | undefined> {
  const request: GetRequest = { action: "get", key, sorted: true, quorum: true };
  try {
    return (await keySpace.execute(request, options)).node;
  } catch (error) {
    if (error instanceof KeyNotFoundError || error instanceof NotDirError) return undefined;
    throw error;
  }
}

/** The keys that are listed twice, or that do not exist under the listed name. */
export async function unnamedOf(
  keySpace: Readable,
  keys: readonly string[],
  options: CallOptions,
): Promise<ReadonlySet<string>> {
  const suspects = keys.filter(isReplaced);
  const unnamed = new Set(suspects.filter((key, position) => suspects.indexOf(key) !== position));
  await forEachConcurrent(suspects, MAX_CONCURRENT_READS, async (key) => {
    if ((await read(keySpace, key, options)) === undefined) unnamed.add(key);
  });
  return unnamed;
}

function listingOf(node: AnyNode, unnamed: ReadonlySet<string>): DirectoryListing {
  const children = node.nodes ?? [];
  const named = children.filter(({ key }) => !unnamed.has(key));
  return {
    self: entryOf(node),
    children: new Map(named.map((child) => [child.key, entryOf(child)])),
    unnamed: children.map(({ key }) => key).filter((key) => unnamed.has(key)),
  };
}
