import { KeyNotFoundError, NotDirError } from "../../errors/common-errors.js";
import type { CallOptions, KeySpace } from "../../key-space/key-space.js";
import type { GetRequest } from "../../model/key-request.js";
import type { EtcdNode } from "../../model/node.js";
import { forEachConcurrent } from "./for-each-concurrent.js";
import { isReplaced } from "./replaced-text.js";
import { entryOf, type TreeEntry } from "./tree-entry.js";

/** One level of a tree at one moment. */
export interface Listing {
  /** The node itself; of the root, too. Nothing: there is no such node. */
  readonly self: TreeEntry | undefined;
  /** What is in it, without hidden nodes and without those of {@link unnamed}. */
  readonly children: ReadonlyMap<string, TreeEntry>;
  /**
   * Keys in it that are not UTF-8, as they are shown: etcd v2 replaces such bytes by U+FFFD. They
   * cannot be asked for, and several of them may be shown as the same text.
   */
  readonly unnamed: readonly string[];
}

type Readable = Pick<KeySpace, "execute">;

export const NOTHING: Listing = { self: undefined, children: new Map(), unnamed: [] };

/** Requests under way at the same time. */
const MAX_CONCURRENT_READS = 8;

/** Reads one level with quorum. */
export async function list(
  keySpace: Readable,
  key: string,
  options: CallOptions,
): Promise<Listing> {
  const node = await read(keySpace, key, options);
  if (node === undefined) return NOTHING;
  const keys = (node.nodes ?? []).map((child) => child.key);
  const unnamed = await unnamedOf(keySpace, keys, options);
  if (unnamed.size === 0) return listingOf(node, unnamed);
  // What was deleted between the two reads has a name.
  const again = await read(keySpace, key, options);
  return again === undefined ? NOTHING : listingOf(again, unnamed);
}

async function read(
  keySpace: Readable,
  key: string,
  options: CallOptions,
): Promise<EtcdNode | undefined> {
  const request: GetRequest = { action: "get", key, sorted: true, quorum: true };
  try {
    return (await keySpace.execute(request, options)).node;
  } catch (error) {
    if (error instanceof KeyNotFoundError || error instanceof NotDirError) return undefined;
    throw error;
  }
}

/** Those of the keys that are shown twice, or that do not exist as they are shown. */
export async function unnamedOf(
  keySpace: Readable,
  keys: readonly string[],
  options: CallOptions,
): Promise<ReadonlySet<string>> {
  const suspects = keys.filter(isReplaced);
  const unnamed = new Set(suspects.filter((key, place) => suspects.indexOf(key) !== place));
  await forEachConcurrent(suspects, MAX_CONCURRENT_READS, async (key) => {
    if ((await read(keySpace, key, options)) === undefined) unnamed.add(key);
  });
  return unnamed;
}

function listingOf(node: EtcdNode, unnamed: ReadonlySet<string>): Listing {
  const children = node.nodes ?? [];
  const named = children.filter(({ key }) => !unnamed.has(key));
  return {
    self: entryOf(node),
    children: new Map(named.map((child) => [child.key, entryOf(child)])),
    unnamed: children.map(({ key }) => key).filter((key) => unnamed.has(key)),
  };
}
