/** Where a key space keeps its nodes. */
export interface DataLocation {
  /** Hexadecimal, not padded; empty when it is not known. */
  readonly clusterId: string;
  /**
   * The store of the cluster: etcd keeps the keys of its v2 API and of its v3 API apart.
   * `unknown`: it may be either.
   */
  readonly store: "v2" | "v3" | "unknown";
  /** What stands before the paths of the tree in the v3 store. */
  readonly keyPrefix: string;
  /** Path in the tree, e.g. that of a namespace; empty for the root. */
  readonly path: string;
  /**
   * Revision of the store, agreed upon by its members after the question. Absent: not known.
   * In one store it never decreases.
   */
  readonly revision?: number;
}

/** Whether one of two subtrees of a store lies in the other, or both are the same. */
export function overlap(first: DataLocation, second: DataLocation): boolean {
  const isKnown = first.store !== "unknown" && second.store !== "unknown";
  if (first.clusterId !== second.clusterId || (isKnown && first.store !== second.store))
    return false;
  const [one, other] = [`${keysOf(first)}/`, `${keysOf(second)}/`];
  return one.startsWith(other) || other.startsWith(one);
}

/** What the keys of a subtree begin with in their store. */
export function keysOf({ keyPrefix, path }: DataLocation): string {
  return keyPrefix + path;
}
