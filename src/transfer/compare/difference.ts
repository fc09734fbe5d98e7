import type { TreeEntry } from "../source/tree-entry.js";

/** A difference between two trees, or a node that cannot be compared. */
export type Difference =
  | NodeDifference
  /** The values look equal, but contain U+FFFD, which may replace bytes that are not UTF-8. */
  | { readonly kind: "uncertain"; readonly entry: TreeEntry }
  /** A key that has no name in the v2 API, as etcd shows it. It was not compared. */
  | { readonly kind: "unnamed"; readonly key: string; readonly tree: "source" | "target" };

/** A node that differs between two trees. Nodes below it are reported separately. */
export type NodeDifference =
  /** Only the source has it. */
  | { readonly kind: "missing"; readonly entry: TreeEntry }
  /** Both have it, with different values, as file and directory, or with different TTLs. */
  | {
      readonly kind: "value" | "type" | "ttl";
      readonly entry: TreeEntry;
      readonly found: TreeEntry;
    }
  /** Only the target has it, with everything below it. */
  | { readonly kind: "extra"; readonly found: TreeEntry };

export function keyOfDifference(difference: NodeDifference): string {
  return difference.kind === "extra" ? difference.found.key : difference.entry.key;
}

/** How TTLs are compared. */
export interface TtlComparison {
  /** Seconds by which they may differ. Both are rounded, and they are not read at the same time. */
  readonly tolerance: number;
  /** The shortest TTL of the parent directories, which also ends the nodes in them; absent: none. */
  readonly above: number | undefined;
}

/** The difference between two nodes of the same key; `undefined` when they are equal. */
export function differenceOf(
  entry: TreeEntry,
  found: TreeEntry | undefined,
  view: TtlComparison,
): NodeDifference | undefined {
  if (found === undefined) return { kind: "missing", entry };
  if (entry.dir !== found.dir) return { kind: "type", entry, found };
  if (entry.value !== found.value) return { kind: "value", entry, found };
  return isSameTtl(entry.ttl, found.ttl, view) ? undefined : { kind: "ttl", entry, found };
}

/** On v3, a node that lives at least as long as its directory shows no TTL of its own. */
function isSameTtl(
  ttl: number | undefined,
  found: number | undefined,
  { tolerance, above = Number.POSITIVE_INFINITY }: TtlComparison,
): boolean {
  if (ttl !== undefined && found !== undefined) return Math.abs(ttl - found) <= tolerance;
  const only = ttl ?? found;
  return only === undefined || only >= above - tolerance;
}
