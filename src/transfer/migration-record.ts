import { EtcdError } from "../errors/etcd-error.js";
import type { CallOptions } from "../key-space/key-space.js";
import { isObject } from "../wire/json.js";
import type { Tree } from "./compare-trees.js";
import { list } from "./listing.js";

/** The target of a migration holds data that this migration has not brought there. */
export class TargetInUseError extends EtcdError {
  override readonly name = "TargetInUseError";
  override readonly code = "ETCD_TARGET_IN_USE";
}

/**
 * Where a migration notes on its target that it is at work there, so that it may go on after it was
 * interrupted: a hidden key, which no listing, watch or migration from there sees.
 */
export const RECORD_KEY = "/_etcdnet_migration";

/** What a migration notes. */
export interface MigrationRecord {
  /** Cluster id of the source. */
  readonly source: string;
  /** Its top there. */
  readonly prefix: string;
  /** Whether everything was brought over once. */
  readonly copied: boolean;
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

/**
 * Looks whether a target may be written to. Answers whether nobody can be using it yet.
 *
 * @throws TargetInUseError when it has data of others
 */
export async function claimTarget(
  target: Tree,
  { source, prefix }: Pick<MigrationRecord, "source" | "prefix">,
  overwrite: boolean,
  options: CallOptions,
): Promise<boolean> {
  const record = await readRecord(target, options);
  if (record?.source === source && record.prefix === prefix) return !record.copied;
  const isEmpty = (await list(target, "/", options)).children.size === 0;
  if (!isEmpty && !overwrite) {
    const whose = record === undefined ? "" : ` of a migration from cluster ${record.source}`;
    throw new TargetInUseError(
      `the target has data already${whose}; with overwrite, it becomes what the source is, and what the source does not have is removed`,
    );
  }
  return isEmpty;
}

function parse(text: string): MigrationRecord | undefined {
  try {
    const record: unknown = JSON.parse(text);
    if (!isObject(record)) return undefined;
    const { source, prefix, copied } = record;
    if (typeof source !== "string" || typeof prefix !== "string") return undefined;
    return { source, prefix, copied: copied === true };
  } catch {
    return undefined;
  }
}
