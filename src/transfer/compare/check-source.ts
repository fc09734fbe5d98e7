import type { CallOptions } from "../../key-space/key-space.js";
import type { Clock } from "../../time/clock.js";
import type { TreePair } from "../source/source-and-target.js";
import { compareTrees, type Tree } from "./compare-trees.js";
import type { Locations } from "./locate-trees.js";
import { lossOf, topmostLoss } from "./loss.js";
import type { Losses } from "./losses.js";

export interface CheckOptions extends CallOptions {
  readonly clock: Clock;
  readonly losses: Losses;
  /** Told of the nodes that were looked at, now and then. */
  readonly onChecked: (nodes: number) => void;
}

/** What the source holds. */
export interface SourceSize {
  readonly nodes: number;
  /** The largest values, from the largest down: those that a target may refuse. */
  readonly largest: readonly LargeValue[];
}

export interface LargeValue {
  readonly key: string;
  readonly bytes: number;
}

/** Bytes of a value that every target takes: etcd's limits are 1.5 MiB (v3) and 10 MiB (v2). */
const SURELY_TAKEN = 1024 * 1024;
const MAX_LARGE = 10;

/** Reads the whole source, and notes what the target cannot have. */
export async function checkSource(
  source: Tree,
  trees: TreePair,
  locations: Locations,
  { clock, losses, onChecked, signal }: CheckOptions,
): Promise<SourceSize> {
  for await (const key of trees.source.unnamedKeys?.("/", { signal }) ?? []) {
    losses.find(lossOf(key, "unnamed"));
  }
  let nodes = 0;
  let largest: readonly LargeValue[] = [];
  const everything = compareTrees(source, undefined, trees.tops, { clock, signal });
  for await (const { differences, compared, replaced, unnamed } of everything) {
    for (const key of unnamed.source) losses.find(lossOf(key, "unnamed"));
    for (const { key } of replaced) losses.find(lossOf(key, "replaced"));
    for (const difference of differences) {
      if (difference.kind !== "missing") continue;
      const { key, value = "" } = difference.entry;
      const loss = topmostLoss(key, locations.target);
      if (loss !== undefined) losses.find(loss);
      largest = withValue(largest, key, value);
    }
    nodes += compared;
    onChecked(nodes);
  }
  return { nodes, largest };
}

function withValue(
  largest: readonly LargeValue[],
  key: string,
  value: string,
): readonly LargeValue[] {
  // A character has at most three bytes for each of its code units.
  if (value.length * 3 <= SURELY_TAKEN) return largest;
  const bytes = Buffer.byteLength(value);
  if (bytes <= SURELY_TAKEN) return largest;
  return [...largest, { key, bytes }].sort((a, b) => b.bytes - a.bytes).slice(0, MAX_LARGE);
}
