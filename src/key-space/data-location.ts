/** Where a key space keeps its nodes. */
export interface DataLocation {
  /** Hexadecimal, not padded; empty when unknown. */
  readonly clusterId: string;
  /**
   * The store in the cluster: etcd has separate stores for its v2 and v3 APIs. `unknown`: either of them.
   */
  readonly store: "v2" | "v3" | "unknown";
  /** Prefix of the paths in the v3 store. */
  readonly keyPrefix: string;
  /** Path in the tree, e.g. of a namespace; empty for the root. */
  readonly path: string;
  /**
   * Revision of the store from a linearizable read. It never decreases in one store. Absent:
   * unknown.
   */
  readonly revision?: number;
}

/** Whether two subtrees are equal or one contains the other. */
export function overlap(first: DataLocation, second: DataLocation): boolean {
  const isKnown = first.store !== "unknown" && second.store !== "unknown";
  if (first.clusterId !== second.clusterId || (isKnown && first.store !== second.store))
    return false;
  const [one, other] = [`${keysOf(first)}/`, `${keysOf(second)}/`];
  return one.startsWith(other) || other.startsWith(one);
}

/** The prefix of the keys of a subtree in their store. */
export function keysOf({ keyPrefix, path }: DataLocation): string {
  return keyPrefix + path;
}
