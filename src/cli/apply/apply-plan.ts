import type { EtcdFile, EtcdNode } from "../../model/node.js";
import type { CurrentNodes } from "./current-nodes.js";
import { hasHiddenPart, isBelow, parentsOf } from "./key-path.js";
import type { WantedNode, WantedTree } from "./wanted-tree.js";

/** A difference between the files and the cluster. */
export type Change =
  | { readonly kind: "create"; readonly wanted: WantedNode }
  | { readonly kind: "change"; readonly wanted: WantedNode; readonly before: EtcdFile }
  | { readonly kind: "remove"; readonly before: EtcdNode };

export interface ApplyPlan {
  /** Removals of what stands where a node of the other type is wanted; children come first. */
  readonly conversions: readonly Change[];
  readonly writes: readonly Change[];
  /** Removals of what the files do not have; children come first. */
  readonly removals: readonly Change[];
  readonly unchanged: number;
}

/** Compares the files with the cluster. `pruned`: the directory below which the files have everything. */
export function planOf(wanted: WantedTree, current: CurrentNodes, pruned?: string): ApplyPlan {
  const writes: Change[] = [];
  const converted: string[] = [];
  let unchanged = 0;
  for (const node of wanted.nodes) {
    const before = current.get(node.key);
    const obstacle = obstacleOf(node, current);
    if (obstacle !== undefined) {
      if (pruned === undefined || !isBelow(obstacle.key, pruned)) throw wrongType(node, obstacle);
      converted.push(obstacle.key);
      writes.push({ kind: "create", wanted: node });
    } else if (before === undefined) writes.push({ kind: "create", wanted: node });
    else if (before.dir || before.value === node.value) unchanged++;
    else writes.push({ kind: "change", wanted: node, before });
  }
  const surplus =
    pruned === undefined
      ? []
      : [...current.values()].filter(
          ({ key }) =>
            isBelow(key, pruned) && !hasHiddenPart(key, pruned) && !isWanted(key, wanted, current),
        );
  const removals = childrenFirst(surplus).map((before): Change => ({ kind: "remove", before }));
  const isConversion = ({ before }: { readonly before: EtcdNode }): boolean =>
    converted.some((key) => before.key === key || isBelow(before.key, key));
  return {
    conversions: removals.filter((change) => change.kind === "remove" && isConversion(change)),
    writes,
    removals: removals.filter((change) => change.kind === "remove" && !isConversion(change)),
    unchanged,
  };
}

/** The node of the other type that stands at the key, or the file that stands above it. */
function obstacleOf({ key, value }: WantedNode, current: CurrentNodes): EtcdNode | undefined {
  for (const above of parentsOf(key)) {
    const parent = current.get(above);
    if (parent !== undefined && !parent.dir) return parent;
  }
  const node = current.get(key);
  const isFile = node?.dir === undefined;
  return node !== undefined && isFile !== (value !== undefined) ? node : undefined;
}

/** Whether the files have the node, with its type. */
function isWanted(key: string, wanted: WantedTree, current: CurrentNodes): boolean {
  const isDirectory = current.get(key)?.dir === true;
  if (wanted.isParent(key)) return isDirectory;
  const node = wanted.get(key);
  return node !== undefined && (node.value === undefined) === isDirectory;
}

function wrongType({ place, key }: WantedNode, obstacle: EtcdNode): Error {
  const type = obstacle.dir ? "directory" : "file";
  return new Error(
    `${place}: ${key} cannot be written, because ${obstacle.key} is a ${type} in the cluster; ` +
      "remove it, or use --prune",
  );
}

function childrenFirst(nodes: readonly EtcdNode[]): readonly EtcdNode[] {
  return nodes.toSorted((a, b) => levels(b.key) - levels(a.key));
}

function levels(key: string): number {
  return key.split("/").length;
}
