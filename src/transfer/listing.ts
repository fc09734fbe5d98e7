import { KeyNotFoundError, NotDirError } from "../errors/common-errors.js";
import type { CallOptions, KeySpace } from "../key-space/key-space.js";
import type { GetRequest } from "../model/key-request.js";
import type { EtcdNode } from "../model/node.js";
import { entryOf, type TreeEntry } from "./tree-entry.js";

/** One level of a tree at one moment. */
export interface Listing {
  /** The node itself; of the root, too. Nothing: there is no such node. */
  readonly self: TreeEntry | undefined;
  /** What is in it, without hidden nodes. */
  readonly children: ReadonlyMap<string, TreeEntry>;
}

const NOTHING: Listing = { self: undefined, children: new Map() };

/** Reads one level with quorum. */
export async function list(
  keySpace: Pick<KeySpace, "execute">,
  key: string,
  options: CallOptions,
): Promise<Listing> {
  const request: GetRequest = { action: "get", key, sorted: true, quorum: true };
  try {
    return listingOf((await keySpace.execute(request, options)).node);
  } catch (error) {
    if (error instanceof KeyNotFoundError || error instanceof NotDirError) return NOTHING;
    throw error;
  }
}

function listingOf(node: EtcdNode): Listing {
  const children = (node.nodes ?? []).map((child) => [child.key, entryOf(child)] as const);
  return { self: entryOf(node), children: new Map(children) };
}
