import { KeyNotFoundError, NotDirError } from "../../errors/common-errors.js";
import type { CallOptions, KeySpace } from "../../key-space/key-space.js";
import type { GetRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import { entryOf, type TreeEntry } from "./tree-entry.js";

/** What is walked: a key space, or a client. */
export type Source = Pick<KeySpace, "execute">;

export interface WalkOptions extends CallOptions {
  /**
   * Linearizable reads; `false`: the member's own state, which may be stale.
   *
   * @default true
   */
  readonly quorum?: boolean;
}

/**
 * Reads a tree directory by directory, each before those in it, in the order of the keys' bytes:
 * first the answer for `key` itself, which may be a file, then one for each directory below. Memory
 * is bounded by the largest directory and the directories that wait beside the way down.
 *
 * The answers differ in `etcdIndex`: a tree that changes meanwhile is not seen at one moment. What
 * vanishes before its turn is left out. Hidden keys (`_…`) below `key` are not listed by etcd.
 *
 * @throws KeyNotFoundError when there is no `key`
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
  let answer: EtcdResponse | undefined = await list(key);
  for (;;) {
    if (answer !== undefined) {
      yield answer;
      waiting.push(...directoriesIn(answer).reverse());
    }
    const next = waiting.pop();
    if (next === undefined) return;
    answer = await unlessGone(list(next));
  }
}

/** The nodes that {@link walkDirectories} finds, one by one: parents first, never the root. */
export async function* walkTree(
  source: Source,
  key: string,
  options?: WalkOptions,
): AsyncGenerator<TreeEntry, void, undefined> {
  let isTop = true;
  for await (const answer of walkDirectories(source, key, options)) {
    yield* entriesOf(answer, isTop);
    isTop = false;
  }
}

/** The nodes of one answer of a walk. Only the topmost one tells of itself: others were listed. */
export function entriesOf({ node }: EtcdResponse, isTop: boolean): TreeEntry[] {
  const children = (node.nodes ?? []).map(entryOf);
  return isTop && node.key !== "/" ? [entryOf(node), ...children] : children;
}

function directoriesIn({ node }: EtcdResponse): string[] {
  return (node.nodes ?? []).filter(({ dir }) => dir).map(({ key }) => key);
}

async function unlessGone(listing: Promise<EtcdResponse>): Promise<EtcdResponse | undefined> {
  try {
    const answer = await listing;
    return answer.node.dir ? answer : undefined;
  } catch (error) {
    if (error instanceof KeyNotFoundError || error instanceof NotDirError) return undefined;
    throw error;
  }
}
