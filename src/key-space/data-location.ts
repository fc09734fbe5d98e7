/** Where a key space keeps its nodes. */
export interface DataLocation {
  /** Hexadecimal, not padded; empty when it is not known. */
  readonly clusterId: string;
  /**
   * The store of the cluster: etcd keeps the keys of its v2 API and of its v3 API apart.
   * `unknown`: it may be either.
   */
  readonly store: "v2" | "v3" | "unknown";
  /** What stands before the path of a node in that store: a namespace, or a key prefix of v3. */
  readonly prefix: string;
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
  const [one, other] = [`${first.prefix}/`, `${second.prefix}/`];
  return one.startsWith(other) || other.startsWith(one);
}
