import { refuseUnknown } from "../../model/option-names.js";
import type { MigrateOptions } from "./migrate-options.js";
import { Migration } from "./migration.js";
import type { MigrationProgress } from "./migration-progress.js";
import { preflight } from "./preflight.js";

/**
 * Brings a tree from one key space to another, while the first one is in use: values, directories,
 * TTLs, and the hidden keys that are named. What changes meanwhile is brought over too, deletes
 * included. It may be interrupted at any moment and called again: what is equal is not written
 * again. Either side may be v2, v3 or any other key space.
 *
 * Before anything is written, the whole source is read: what the target cannot have is told. After
 * the copy, everything is compared once more. It only resolves when all that was compared is the
 * same in the target, apart from losses that were allowed.
 *
 * The target must not be in use. On `api: "v3"` it is filled with transactions of many nodes, and
 * its indexes go on above the source's.
 *
 * It resolves when everything is there that had changed when it was to end.
 *
 * @throws TransferRefusedError before anything is written, when `prefix` is no directory of the
 *   source, when the target lies in the source or around it, by whatever URLs and gateways they are
 *   reached, or when the target cannot have something as it is in the source, unless `lossy`. Also
 *   later, when something of that kind is written to the source meanwhile
 * @throws TransferFailedError when the target does not keep what is written
 * @throws TargetInUseError when the target has other data, unless `overwrite`
 * @throws AbortError when `signal` aborts: all but the last writes are then known to be done
 * @throws SourceReplacedError when another cluster answers in the source's place
 */
export async function migrate(options: MigrateOptions): Promise<MigrationProgress> {
  refuseUnknown(options, OPTIONS);
  return await new Migration(await preflight(options), options).run();
}

const OPTIONS = [
  ...["from", "to", "prefix", "toPrefix", "hidden"],
  ...["until", "overwrite", "lossy", "rate", "onLoss", "onProgress", "signal"],
];
