import { type KeptIndexes, type NodeIndexes, shownIndexes } from "../../cutover/kept-indexes.js";
import { pathOf } from "../../key-space/shared/path.js";
import { type AnyNode, isPresent } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";

/** Nodes whose indexes are remembered. They do not change after the switch. */
const MAX_REMEMBERED = 200_000;
const MAX_REMEMBERED_LENGTH = 1_000;
/** From this number on, one request that reads all below a directory takes less time. */
const MANY = 1_000;

/** By path. `undefined`: the node did not exist before, or its indexes are not known. */
type Indexes = ReadonlyMap<string, NodeIndexes | undefined>;

/** Shows nodes with the indexes that clients know from the cluster that served before. */
export class ShownIndexes {
  readonly #kept: Pick<KeptIndexes, "of" | "below">;
  readonly #known = new Map<string, NodeIndexes | undefined>();
  /** Those of all nodes, if they were loaded. */
  #all: Indexes | undefined;
  /** Reads that have not ended, by path. */
  readonly #reading = new Map<string, Promise<Indexes>>();

  constructor(kept: Pick<KeptIndexes, "of" | "below">) {
    this.#kept = kept;
  }

  /** @param first index after the switch of the cluster that serves */
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
    const kept = await this.#read([...paths], node, signal);
    return {
      ...response,
      node: shown(node, first, kept),
      ...(prevNode !== undefined && { prevNode: shown(prevNode, first, kept) }),
    };
  }

  /** Reads those of all nodes. From then on, v3 is not asked for them. */
  async loadAll(signal: AbortSignal): Promise<void> {
    this.#all = await this.#kept.below("", signal);
    this.#known.clear();
  }

  /** The `modifiedIndex` that a copied node had before the switch; `undefined`: it is not known. */
  async modifiedIndexOf(
    node: AnyNode,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const path = pathOf(node.key);
    return (await this.#read([path], node, signal)).get(path)?.modifiedIndex;
  }

  /** @param top contains all paths */
  async #read(
    paths: readonly string[],
    top: AnyNode,
    signal: AbortSignal | undefined,
  ): Promise<Indexes> {
    if (this.#all !== undefined) return this.#all;
    const remembered = this.#known;
    const unknown = paths.filter((path) => !remembered.has(path));
    const known = new Map(paths.map((path) => [path, remembered.get(path)]));
    if (unknown.length === 0) return known;
    const isTree = unknown.length >= MANY && isDeep(top);
    const found = await (isTree
      ? this.#kept.below(pathOf(top.key), signal)
      : this.#once(unknown, signal));
    // The node itself is not below itself.
    const self = isTree ? await this.#kept.of([pathOf(top.key)], signal) : found;
    for (const path of unknown) known.set(path, found.get(path) ?? self.get(path));
    remember(unknown, known, remembered);
    return known;
  }

  /** Events of one change are shown to many watches at the same time. */
  async #once(paths: readonly string[], signal: AbortSignal | undefined): Promise<Indexes> {
    const [path] = paths;
    if (path === undefined || paths.length > 1) return await this.#kept.of(paths, signal);
    // Without the signal: the first of those that wait may go.
    const all = this.#reading;
    const reading = all.get(path) ?? this.#kept.of(paths, undefined);
    all.set(path, reading);
    try {
      return await reading;
    } finally {
      all.delete(path);
    }
  }
}

function remember(
  paths: readonly string[],
  indexes: Indexes,
  to: Map<string, NodeIndexes | undefined>,
): void {
  if (to.size + paths.length > MAX_REMEMBERED) to.clear();
  if (paths.length > MAX_REMEMBERED) return;
  for (const path of paths) {
    if (path.length <= MAX_REMEMBERED_LENGTH) to.set(path, indexes.get(path));
  }
}

/** Whether it was read with everything below it. */
function isDeep({ nodes = [] }: AnyNode): boolean {
  return nodes.some((child) => (child.nodes?.length ?? 0) > 0);
}

/** etcd sends no indexes for the root. */
function isCopied({ createdIndex }: AnyNode, first: number): boolean {
  return createdIndex > 0 && createdIndex < first;
}

function addCopied(node: AnyNode, first: number, to: Set<string>): void {
  if (isCopied(node, first)) to.add(pathOf(node.key));
  for (const child of node.nodes ?? []) addCopied(child, first, to);
}

function shown<Node extends AnyNode>(node: Node, first: number, kept: Indexes): Node {
  const before = isCopied(node, first) ? kept.get(pathOf(node.key)) : undefined;
  const { modifiedIndex, createdIndex } = shownIndexes(node, before, first);
  const nodes = isPresent(node) ? node.nodes?.map((child) => shown(child, first, kept)) : undefined;
  return {
    ...node,
    ...{ modifiedIndex, createdIndex },
    ...(nodes !== undefined && { nodes }),
  };
}
