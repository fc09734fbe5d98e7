import type { StoreNode } from "./store-node.js";

/** Path, value (`null`: a directory), createdIndex, modifiedIndex, expiration (`null`: none). */
export type SnapshotNode = readonly [string, string | null, number, number, number | null];

/** The path of a node that is not there any more. */
export type RemovedNode = readonly [string];

/**
 * Reads a whole store bit by bit, while requests change it. What changes meanwhile is read again at
 * the end, so that all of it together is the store at one moment: the end. Values are never copied.
 */
export class StoreWalk implements Disposable {
  readonly #nodes: ReadonlyMap<string, StoreNode>;
  /** Paths that have changed since the walk began. */
  readonly #changed = new Set<string>();
  readonly #onEnd: () => void;

  /** `onEnd` is called when no more changes are to be noted. */
  constructor(nodes: ReadonlyMap<string, StoreNode>, onEnd: () => void) {
    this.#nodes = nodes;
    this.#onEnd = onEnd;
  }

  /** Notes that the node at a path is new, another one, or gone. */
  note(path: string): void {
    this.#changed.add(path);
  }

  /** Every node that has not changed until it is read. Requests may come between two of them. */
  *unchanged(): Generator<SnapshotNode, void, undefined> {
    for (const node of this.#nodes.values()) {
      if (node.path !== "" && !this.#changed.has(node.path)) yield snapshotOf(node);
    }
  }

  /** Ends the walk. Tells, for the moment of the call, what has become of the changed nodes. */
  end(): (SnapshotNode | RemovedNode)[] {
    this[Symbol.dispose]();
    return Array.from(this.#changed, (path) => {
      const node = this.#nodes.get(path);
      return node === undefined ? [path] : snapshotOf(node);
    });
  }

  /** Ends the walk, which is of no use any more. */
  [Symbol.dispose](): void {
    this.#onEnd();
  }
}

function snapshotOf(node: StoreNode): SnapshotNode {
  const value = node.children === undefined ? node.value : null;
  const { path, createdIndex, modifiedIndex, expiration = null } = node;
  return [path, value, createdIndex, modifiedIndex, expiration];
}
