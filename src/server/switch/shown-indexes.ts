import type { KeptIndexes, NodeIndexes } from "../../cutover/kept-indexes.js";
import { pathOf } from "../../key-space/shared/path.js";
import { type AnyNode, isPresent } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";

/** Nodes whose indexes are remembered. They never change after the switch. */
const MAX_REMEMBERED = 200_000;
/** From this number on, one request that reads all below a directory takes less time. */
const MANY = 1_000;

/**
 * Shows nodes with the indexes that clients know from v2: a node that was copied, and that nobody has changed since, has both;
 * after that it still has its `createdIndex`, as long as it is the same node.
 */
export class ShownIndexes {
  readonly #kept: Pick<KeptIndexes, "of" | "below">;
  /** `undefined`: v2 did not have the node, or its indexes are not known. */
  readonly #known = new Map<string, NodeIndexes | undefined>();

  constructor(kept: Pick<KeptIndexes, "of" | "below">) {
    this.#kept = kept;
  }

  /** @param first index of v3 after the switch */
  async show(
    response: EtcdResponse,
    first: number,
    signal: AbortSignal | undefined,
  ): Promise<EtcdResponse> {
    const { node, prevNode } = response;
    const paths = new Set<string>();
    addCopied(node, first, paths);
    if (prevNode !== undefined) addCopied(prevNode, first, paths);
    if (paths.size === 0) return response;
    const kept = await this.#read([...paths], pathOf(node.key), signal);
    return {
      ...response,
      node: shown(node, first, kept),
      ...(prevNode !== undefined && { prevNode: shown(prevNode, first, kept) }),
    };
  }

  /** The `modifiedIndex` that a copied node had on v2; `undefined`: it is not known. */
  async modifiedIndexOf(
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    return (await this.#read([path], path, signal)).get(path)?.modifiedIndex;
  }

  /** @param top of all paths */
  async #read(
    paths: readonly string[],
    top: string,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, NodeIndexes | undefined>> {
    const unknown = paths.filter((path) => !this.#known.has(path));
    if (unknown.length === 0) return this.#known;
    const found =
      unknown.length < MANY
        ? await this.#kept.of(unknown, signal)
        : new Map([
            ...(await this.#kept.of([top], signal)),
            ...(await this.#kept.below(top, signal)),
          ]);
    const result = new Map(paths.map((path) => [path, this.#known.get(path) ?? found.get(path)]));
    if (this.#known.size + unknown.length > MAX_REMEMBERED) this.#known.clear();
    if (unknown.length <= MAX_REMEMBERED) {
      for (const path of unknown) this.#known.set(path, found.get(path));
    }
    return result;
  }
}

/** etcd sends no indexes for the root. */
function isCopied({ createdIndex }: AnyNode, first: number): boolean {
  return createdIndex > 0 && createdIndex < first;
}

function addCopied(node: AnyNode, first: number, to: Set<string>): void {
  if (isCopied(node, first)) to.add(pathOf(node.key));
  for (const child of node.nodes ?? []) addCopied(child, first, to);
}

function shown<Node extends AnyNode>(
  node: Node,
  first: number,
  kept: ReadonlyMap<string, NodeIndexes | undefined>,
): Node {
  const before = isCopied(node, first) ? kept.get(pathOf(node.key)) : undefined;
  const isUnchanged = node.modifiedIndex < first;
  const nodes = isPresent(node) ? node.nodes?.map((child) => shown(child, first, kept)) : undefined;
  return {
    ...node,
    ...(before !== undefined && { createdIndex: before.createdIndex }),
    ...(before !== undefined && isUnchanged && { modifiedIndex: before.modifiedIndex }),
    ...(nodes !== undefined && { nodes }),
  };
}
