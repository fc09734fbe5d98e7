import type { StoreNode } from "./store-node.js";

/** Path, value (`null`: a directory), createdIndex, modifiedIndex, expiration (`null`: none). */
export type SnapshotNode = readonly [string, string | null, number, number, number | null];

/** Path of a removed node. */
export type RemovedPath = readonly [string];

/**
 * Reads a store in steps while requests change it. Nodes that change are read again at the end, so
 * that the result is the state at the end of the walk. Values are never copied.
 */
export class StoreWalk implements Disposable {
  readonly #nodes: ReadonlyMap<string, StoreNode>;
  /** Paths that have changed since the walk began. */
  readonly #changed = new Set<string>();
  readonly #onEnd: () => void;

  /** `onEnd` is called when changes need no longer be recorded. */
  constructor(nodes: ReadonlyMap<string, StoreNode>, onEnd: () => void) {
    this.#nodes = nodes;
    this.#onEnd = onEnd;
  }

  /** Records that the node at a path was created, replaced, changed or removed. */
  recordChange(path: string): void {
    this.#changed.add(path);
  }

  /**
   * Every node that has not changed before it is read. Requests may be executed between two nodes.
   */
  *unchanged(): Generator<SnapshotNode, void, undefined> {
    for (const node of this.#nodes.values()) {
      if (node.path !== "" && !this.#changed.has(node.path)) yield snapshotOf(node);
    }
  }

  /** Ends the walk and returns the changed and removed nodes, as of this call. */
  end(): (SnapshotNode | RemovedPath)[] {
    this[Symbol.dispose]();
    return Array.from(this.#changed, (path) => {
      const node = this.#nodes.get(path);
      return node === undefined ? [path] : snapshotOf(node);
    });
  }

  /** Ends the walk without a result. */
  [Symbol.dispose](): void {
    this.#onEnd();
  }
}

function snapshotOf(node: StoreNode): SnapshotNode {
  const value = node.children === undefined ? node.value : null;
  const { path, createdIndex, modifiedIndex, expiration = null } = node;
  return [path, value, createdIndex, modifiedIndex, expiration];
}
