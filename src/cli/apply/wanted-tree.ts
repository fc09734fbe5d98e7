import { parentsOf } from "./key-path.js";

/** A file, or a directory without children, that files ask for. */
export interface WantedNode {
  readonly key: string;
  /** Absent: an empty directory. */
  readonly value?: string;
  /** File and line. */
  readonly place: string;
}

/**
 * The nodes of one or more files. Directories with children are not nodes of their own: etcd creates them
 * with their children.
 */
export class WantedTree {
  /** The keys at the top of the files. */
  readonly tops = new Set<string>();
  readonly #nodes = new Map<string, WantedNode>();
  /** Directories with children, and the place that first names each. */
  readonly #parents = new Map<string, string>();

  /** In the order in which they were added. */
  get nodes(): Iterable<WantedNode> {
    return this.#nodes.values();
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(key: string): WantedNode | undefined {
    return this.#nodes.get(key);
  }

  /** Whether a node below the key is wanted. */
  isParent(key: string): boolean {
    return this.#parents.has(key);
  }

  /** @throws Error naming both places of a key that has two contents */
  add(node: WantedNode): void {
    const { key, value, place } = node;
    const other = this.#nodes.get(key);
    const parent = this.#parents.get(key);
    if (other !== undefined && (value !== undefined || other.value !== undefined)) {
      throw new Error(`${place}: ${key} is also at ${other.place}`);
    }
    if (value !== undefined && parent !== undefined) {
      throw new Error(`${place}: ${key} has a value, and is a directory at ${parent}`);
    }
    for (const above of parentsOf(key)) {
      const file = this.#nodes.get(above);
      if (file?.value !== undefined) {
        throw new Error(`${place}: ${above} is a directory, and has a value at ${file.place}`);
      }
      this.#nodes.delete(above);
      if (!this.#parents.has(above)) this.#parents.set(above, place);
    }
    if (parent === undefined) this.#nodes.set(key, node);
  }
}
