import { type KnownOptions, refuseUnknown } from "../../model/option-names.js";
import type { MigrateOptions } from "./migrate-options.js";
import { Migration } from "./migration.js";
import type { MigrationProgress } from "./migration-progress.js";
import { preflight } from "./preflight.js";

/**
 * Copies a tree from one key space to another while the source is in use: values, directories, TTLs,
 * and the hidden keys that `hidden` names. Changes during the copy are copied too, including deletes.
 * The migration can be interrupted at any time and started again: equal nodes are not written again.
 * Source and target may be v2, v3 or any other key space.
 *
 * Before the first write, the complete source is read, and what the target cannot store is reported.
 * After the copy, everything is compared again.
 *
 * The target must not be in use. With `api: "v3"`, it is filled with transactions of many nodes, and
 * its indexes continue above those of the source.
 *
 * The promise resolves when the target is equal to the source, except for allowed losses, and
 * contains all changes until the end of the migration.
 *
 * @throws TransferRefusedError before the first write, when `prefix` is not a directory of the
 *   source, when source and target overlap (through any URLs and gateways), or when the target cannot
 *   store something unchanged, unless `lossy`. Also later, when such a node is written to the source
 *   during the migration
 * @throws TransferFailedError when the target does not keep the written values
 * @throws TargetInUseError when the target has other data, unless `overwrite`
 * @throws AbortError when `signal` aborts; only the outcome of the last writes is unknown then
 * @throws SourceReplacedError when another cluster responds in place of the source
 *
 * @example
 * const from = new EtcdClient({ endpoints: "http://old:2379" });
 * const to = new EtcdClient({ endpoints: "http://new:2379", api: "v3" });
 * await migrate({ from, to, prefix: "/apps" });
 */
export async function migrate(options: MigrateOptions): Promise<MigrationProgress> {
  refuseUnknown(options, OPTIONS);
  return await new Migration(await preflight(options), options).run();
}

const OPTIONS: KnownOptions<MigrateOptions> = {
  from: true,
  to: true,
  prefix: true,
  toPrefix: true,
  hidden: true,
  until: true,
  overwrite: true,
  lossy: true,
  rate: true,
  onLoss: true,
  onProgress: true,
  signal: true,
};
