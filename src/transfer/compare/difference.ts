import type { TreeEntry } from "../source/tree-entry.js";

/** What is not the same in two trees, or cannot be compared. */
export type Difference =
  | NodeDifference
  /** The value is shown the same, with U+FFFD, which may stand for bytes that are not UTF-8. */
  | { readonly kind: "uncertain"; readonly entry: TreeEntry }
  /** A key that the v2 API has no name for, as it is shown: it was not compared. */
  | { readonly kind: "unnamed"; readonly key: string; readonly tree: "source" | "target" };

/** A node that is not the same in two trees. What is below it is told apart from it. */
export type NodeDifference =
  /** Only the first tree has it. */
  | { readonly kind: "missing"; readonly entry: TreeEntry }
  /** Both have it, as two files with other values, as file and directory, or with other TTLs. */
  | {
      readonly kind: "value" | "type" | "ttl";
      readonly entry: TreeEntry;
      readonly found: TreeEntry;
    }
  /** Only the second tree has it, with all that may be below it. */
  | { readonly kind: "extra"; readonly found: TreeEntry };

export function keyOf(difference: NodeDifference): string {
  return difference.kind === "extra" ? difference.found.key : difference.entry.key;
}

/** How TTLs are compared. */
export interface TtlView {
  /** Seconds by which they may differ: both are rounded, and were read one after the other. */
  readonly tolerance: number;
  /** The least TTL of the directories above, which ends what is in them too; absent: none. */
  readonly above: number | undefined;
}

/** How two nodes of the same key differ, if they do. */
export function differenceOf(
  entry: TreeEntry,
  found: TreeEntry | undefined,
  view: TtlView,
): NodeDifference | undefined {
  if (found === undefined) return { kind: "missing", entry };
  if (entry.dir !== found.dir) return { kind: "type", entry, found };
  if (entry.value !== found.value) return { kind: "value", entry, found };
  return isSameTtl(entry.ttl, found.ttl, view) ? undefined : { kind: "ttl", entry, found };
}

/** On v3, a node that its directory outlives by no moment shows no TTL of its own. */
function isSameTtl(
  ttl: number | undefined,
  found: number | undefined,
  { tolerance, above = Number.POSITIVE_INFINITY }: TtlView,
): boolean {
  if (ttl !== undefined && found !== undefined) return Math.abs(ttl - found) <= tolerance;
  const only = ttl ?? found;
  return only === undefined || only >= above - tolerance;
}
