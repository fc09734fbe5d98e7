import type { CallOptions } from "../../key-space/call-options.js";
import type { Clock } from "../../time/clock.js";
import type { TreePair } from "../source/source-and-target.js";
import { compareTrees, type Tree } from "./compare-trees.js";
import type { Locations } from "./locate-trees.js";
import { lossOf, topmostLoss } from "./loss.js";
import type { Losses } from "./losses.js";

export interface CheckOptions extends CallOptions {
  readonly clock: Clock;
  readonly losses: Losses;
  /** Called repeatedly with the number of nodes that were checked. */
  readonly onChecked: (nodes: number) => void;
}

/** The size of the source. */
export interface SourceSize {
  readonly nodes: number;
  /** The largest values, largest first. A target may refuse them. */
  readonly largest: readonly LargeValue[];
  /** Number of nodes with a TTL. */
  readonly leased: number;
  /** The node whose TTL ends first; `undefined`: none has a TTL. */
  readonly shortest: ShortLived | undefined;
}

interface ShortLived {
  readonly key: string;
  /** Seconds. */
  readonly ttl: number;
}

export interface LargeValue {
  readonly key: string;
  readonly bytes: number;
}

/** Every target accepts values of this size: etcd's limits are 1.5 MiB (v3) and 10 MiB (v2). */
const ALWAYS_ACCEPTED_BYTES = 1024 * 1024;
const MAX_LARGE_VALUES = 10;

/** Reads the complete source, and records what the target cannot store. */
export async function checkSource(
  source: Tree,
  trees: TreePair,
  locations: Locations,
  { clock, losses, onChecked, signal }: CheckOptions,
): Promise<SourceSize> {
  for await (const key of trees.source.unnamedKeys?.("/", { signal }) ?? []) {
    losses.record(lossOf(key, "unnamed"));
  }
  let nodes = 0;
  let largest: readonly LargeValue[] = [];
  let leasedNodes = 0;
  let shortest: ShortLived | undefined;
  const everything = compareTrees(source, undefined, trees.tops, { clock, signal });
  for await (const { differences, compared, replaced, unnamed, leased } of everything) {
    leasedNodes += leased.length;
    for (const { key, ttl = 0 } of leased) {
      if (shortest === undefined || ttl < shortest.ttl) shortest = { key, ttl };
    }
    for (const key of unnamed.source) losses.record(lossOf(key, "unnamed"));
    for (const { key } of replaced) losses.record(lossOf(key, "replaced"));
    for (const difference of differences) {
      if (difference.kind !== "missing") continue;
      const { key, value = "" } = difference.entry;
      const loss = topmostLoss(key, locations.target);
      if (loss !== undefined) losses.record(loss);
      largest = withValue(largest, key, value);
    }
    nodes += compared;
    onChecked(nodes);
  }
  return { nodes, largest, leased: leasedNodes, shortest };
}

function withValue(
  largest: readonly LargeValue[],
  key: string,
  value: string,
): readonly LargeValue[] {
  // A code unit has at most three bytes in UTF-8.
  if (value.length * 3 <= ALWAYS_ACCEPTED_BYTES) return largest;
  const bytes = Buffer.byteLength(value);
  if (bytes <= ALWAYS_ACCEPTED_BYTES) return largest;
  return [...largest, { key, bytes }].sort((a, b) => b.bytes - a.bytes).slice(0, MAX_LARGE_VALUES);
}
