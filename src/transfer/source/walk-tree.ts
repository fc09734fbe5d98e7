import { KeyNotFoundError, NotDirError } from "../../errors/common-errors.js";
import type { CallOptions } from "../../key-space/call-options.js";
import type { KeySpace } from "../../key-space/key-space.js";
import type { GetRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import { entryOf, type TreeEntry } from "./tree-entry.js";

/** The tree to walk: a key space, or a client. */
export type Source = Pick<KeySpace, "execute">;

export interface WalkOptions extends CallOptions {
  /**
   * Use linearizable reads; `false`: read the state of one member, which may be stale.
   *
   * @default true
   */
  readonly quorum?: boolean;
}

/**
 * Reads a tree directory by directory, parents first, in the order of the keys' bytes. The first
 * response is for `key` itself, which may be a file. One response for each directory below follows.
 * Memory is bounded by the largest directory and the pending directories of the path.
 *
 * The responses differ in `etcdIndex`: the walk is not a snapshot. A directory that disappears before
 * it is read is left out. Hidden keys (`_…`) below `key` are left out, because etcd does not list them.
 *
 * @throws KeyNotFoundError when `key` does not exist
 */
export async function* walkDirectories(
  source: Source,
  key: string,
  { quorum = true, signal }: WalkOptions = {},
): AsyncGenerator<EtcdResponse, void, undefined> {
  const list = (directory: string): Promise<EtcdResponse> => {
    const request: GetRequest = { action: "get", key: directory, sorted: true, quorum };
    return source.execute(request, { signal });
  };
  const waiting: string[] = [];
  let response: EtcdResponse | undefined = await list(key);
  for (;;) {
    if (response !== undefined) {
      yield response;
      for (const directory of directoriesIn(response).reverse()) waiting.push(directory);
    }
    const next = waiting.pop();
    if (next === undefined) return;
    response = await undefinedIfGone(list(next));
  }
}

/** The nodes that {@link walkDirectories} finds, one by one: parents first, never the root. */
export async function* walkTree(
  source: Source,
  key: string,
  options?: WalkOptions,
): AsyncGenerator<TreeEntry, void, undefined> {
  let isTop = true;
  for await (const response of walkDirectories(source, key, options)) {
    yield* entriesOf(response, isTop);
    isTop = false;
  }
}

/** The nodes of one response of a walk. Only the top includes itself; its parent lists each other one. */
export function entriesOf({ node }: EtcdResponse, isTop: boolean): TreeEntry[] {
  const children = (node.nodes ?? []).map(entryOf);
  return isTop && node.key !== "/" ? [entryOf(node), ...children] : children;
}

function directoriesIn({ node }: EtcdResponse): string[] {
  return (node.nodes ?? []).filter(({ dir }) => dir).map(({ key }) => key);
}

async function undefinedIfGone(listing: Promise<EtcdResponse>): Promise<EtcdResponse | undefined> {
  try {
    const response = await listing;
    return response.node.dir ? response : undefined;
  } catch (error) {
    if (error instanceof KeyNotFoundError || error instanceof NotDirError) return undefined;
    throw error;
  }
}
