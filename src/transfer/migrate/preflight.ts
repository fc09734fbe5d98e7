import { linkSignals } from "../../time/link-signals.js";
import { checkSource, type SourceSize } from "../compare/check-source.js";
import { type Locations, locateTrees } from "../compare/locate-trees.js";
import { Losses } from "../compare/losses.js";
import { hasTtlAbove } from "../source/has-ttl-above.js";
import { KeySpaceWithRetries } from "../source/key-space-with-retries.js";
import { type TreePair, treesOf } from "../source/source-and-target.js";
import { readTops } from "../source/tops.js";
import type { MigrateOptions } from "./migrate-options.js";
import type { MigrationProgress } from "./migration-progress.js";
import { checkTarget, type MigrationRecord } from "./migration-record.js";

/** The results of the checks before the first write. */
export interface Preflight {
  readonly trees: TreePair;
  readonly locations: Locations;
  readonly record: MigrationRecord;
  /** Whether bulk loading is possible. It is not in a directory that has a TTL. */
  readonly isLoadable: boolean;
  readonly size: SourceSize;
  readonly losses: Losses;
  /** Monotonic time of the start. */
  readonly startedAt: number;
}

/**
 * Runs all checks that are possible before the first write.
 *
 * @throws TransferRefusedError, TargetInUseError
 */
export async function preflight(options: MigrateOptions): Promise<Preflight> {
  const { from, to, overwrite = false, lossy = false, onLoss, onProgress } = options;
  const { clock } = from;
  const startedAt = clock.monotonic();
  const trees = treesOf(options);
  const ending = linkSignals(options.signal, from.closed, to.closed);
  const call = { signal: ending.signal };
  const losses = new Losses(lossy, onLoss);
  const onChecked = (compared: number): void => {
    const elapsed = clock.monotonic() - startedAt;
    onProgress?.({ ...NOTHING_DONE, compared, elapsed, lost: losses.count });
  };
  try {
    // No retries here: an endpoint that is unreachable at the start is probably mistyped.
    const tops = await readTops(trees, call);
    const locations = await locateTrees(trees, tops, call);
    const { clusterId, store, keyPrefix, path } = locations.source;
    const record = { source: clusterId, store, prefix: keyPrefix + path };
    await checkTarget(trees.target, record, { tops: trees.tops, overwrite }, call);
    const isLoadable = !(await hasTtlAbove(to.keySpace, trees.targetPrefix, call));
    const source = new KeySpaceWithRetries(trees.source, clock);
    const check = { ...call, clock, losses, onChecked };
    const size = await checkSource(source, trees, locations, check);
    losses.check();
    return { trees, locations, record, isLoadable, size, losses, startedAt };
  } finally {
    ending.unlink();
  }
}

const NOTHING_DONE: MigrationProgress = {
  phase: "checking",
  share: 0,
  compared: 0,
  total: 0,
  written: 0,
  changing: 0,
  lost: 0,
  waiting: 0,
  index: 0,
  elapsed: 0,
};
