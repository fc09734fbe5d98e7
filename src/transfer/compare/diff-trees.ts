import type { CallOptions } from "../../key-space/call-options.js";
import { type KnownOptions, refuseUnknown } from "../../model/option-names.js";
import { type SourceAndTarget, treesOf } from "../source/source-and-target.js";
import { readTops } from "../source/tops.js";
import { type Comparison, compareTrees } from "./compare-trees.js";
import { type Difference, keyOfDifference } from "./difference.js";

/** Options of {@link diffTrees}. */
export interface DiffOptions extends SourceAndTarget, CallOptions {
  /**
   * Seconds by which TTLs may differ.
   *
   * @default 5
   */
  readonly ttlTolerance?: number | undefined;
  /**
   * Leave out nodes that cannot be compared: keys that are not UTF-8, or that have no name in the v2
   * API, and values that look equal but contain U+FFFD. A migration with `lossy` loses the same.
   *
   * @default false: such nodes are reported
   */
  readonly lossy?: boolean | undefined;
  /** Called repeatedly with the number of nodes that were compared. */
  readonly onProgress?: ((compared: number) => void) | undefined;
}

/**
 * Yields the differences between two trees: what the target must change to be equal to the source.
 * Both are read with quorum, directory by directory. A change during the comparison may show as a
 * difference. Keys are without `prefix`. Indexes are not compared.
 *
 * @throws TransferRefusedError when `prefix` is not a directory of the source
 *
 * @example
 * const from = new EtcdClient({ endpoints: "http://old:2379" });
 * const to = new EtcdClient({ endpoints: "http://new:2379", api: "v3" });
 * for await (const difference of diffTrees({ from, to })) console.log(difference);
 */
export async function* diffTrees(
  options: DiffOptions,
): AsyncGenerator<Difference, void, undefined> {
  refuseUnknown(options, OPTIONS);
  const { from, signal, ttlTolerance = 5, lossy = false, onProgress } = options;
  const trees = treesOf(options);
  const { source, target, tops } = trees;
  await readTops(trees, { signal });
  const settings = { signal, ttlTolerance, clock: from.clock };
  let compared = 0;
  for await (const comparison of compareTrees(source, target, tops, settings)) {
    for (const { isPlain: _, ...difference } of comparison.differences) yield difference;
    if (!lossy) yield* uncertaintiesIn(comparison);
    compared += comparison.compared;
    onProgress?.(compared);
  }
  if (lossy) return;
  for (const tree of ["source", "target"] as const) {
    for await (const key of trees[tree].unnamedKeys?.("/", { signal }) ?? []) {
      yield { kind: "unnamed", key, tree };
    }
  }
}

function* uncertaintiesIn({ differences, replaced, unnamed }: Comparison): Iterable<Difference> {
  for (const tree of ["source", "target"] as const) {
    for (const key of unnamed[tree]) yield { kind: "unnamed", key, tree };
  }
  const reported = new Set(differences.map((difference) => keyOfDifference(difference)));
  for (const entry of replaced) if (!reported.has(entry.key)) yield { kind: "uncertain", entry };
}

const OPTIONS: KnownOptions<DiffOptions> = {
  from: true,
  to: true,
  prefix: true,
  toPrefix: true,
  hidden: true,
  ttlTolerance: true,
  lossy: true,
  onProgress: true,
  signal: true,
};
