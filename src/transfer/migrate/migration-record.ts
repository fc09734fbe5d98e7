import { TargetInUseError } from "../../errors/migration-errors.js";
import type { CallOptions } from "../../key-space/call-options.js";
import type { DataLocation } from "../../key-space/data-location.js";
import { isObject } from "../../wire/json.js";
import type { Tree } from "../compare/compare-trees.js";
import { list } from "../source/listing.js";

/**
 * The hidden key on the target that records a started migration, so that it can continue after an
 * interruption. Listings, watches and migrations of the target do not include it.
 */
export const RECORD_KEY = "/_etcdnet_migration";

/** The content of the record: the source of the migration. */
export interface MigrationRecord {
  /** Cluster id of the source. */
  readonly source: string;
  /** The store of the cluster. */
  readonly store: DataLocation["store"];
  /** The top of the tree in that store. */
  readonly prefix: string;
}

async function readRecord(
  target: Tree,
  options: CallOptions,
): Promise<MigrationRecord | undefined> {
  const { self } = await list(target, RECORD_KEY, options);
  return self?.value === undefined ? undefined : parse(self.value);
}

export async function writeRecord(
  target: Tree,
  record: MigrationRecord,
  options: CallOptions,
): Promise<void> {
  const value = JSON.stringify(record);
  await target.execute({ action: "set", key: RECORD_KEY, value }, options);
}

/** Checks that the target may be written. @throws TargetInUseError when it has other data */
export async function checkTarget(
  target: Tree,
  record: MigrationRecord,
  { tops, overwrite }: { readonly tops: readonly string[]; readonly overwrite: boolean },
  options: CallOptions,
): Promise<void> {
  const existing = await readRecord(target, options);
  if (overwrite || (existing !== undefined && isSameMigration(record, existing))) return;
  if (await areEmpty(target, tops, options)) return;
  const origin = existing === undefined ? "" : ` of a migration from cluster ${existing.source}`;
  throw new TargetInUseError(`the target already has data${origin}`, {
    option: "overwrite",
    hint: (nameOf) =>
      `with ${nameOf("overwrite")}, it becomes equal to the source, and everything else in it is removed`,
  });
}

function isSameMigration(
  { source, store, prefix }: MigrationRecord,
  other: MigrationRecord,
): boolean {
  return other.source === source && other.store === store && other.prefix === prefix;
}

/** Checks each top, because a listing of the root does not contain hidden tops. */
async function areEmpty(
  target: Tree,
  tops: readonly string[],
  options: CallOptions,
): Promise<boolean> {
  for (const top of tops) {
    const { self, children } = await list(target, top, options);
    if (children.size > 0 || (self !== undefined && !self.dir)) return false;
  }
  return true;
}

function parse(text: string): MigrationRecord | undefined {
  try {
    const record: unknown = JSON.parse(text);
    if (!isObject(record)) return undefined;
    const { source, store, prefix } = record;
    if (typeof source !== "string" || typeof prefix !== "string") return undefined;
    const known = store === "v2" || store === "v3" ? store : "unknown";
    return { source, store: known, prefix };
  } catch {
    return undefined;
  }
}
