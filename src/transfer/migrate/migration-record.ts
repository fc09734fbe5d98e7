import { TargetInUseError } from "../../errors/migration-errors.js";
import type { DataLocation } from "../../key-space/data-location.js";
import type { CallOptions } from "../../key-space/key-space.js";
import { isObject } from "../../wire/json.js";
import type { Tree } from "../compare/compare-trees.js";
import { list } from "../source/listing.js";

/**
 * Where a migration notes on its target that it is at work there, so that it may go on after it was
 * interrupted: a hidden key, which no listing, watch or migration from there sees.
 */
export const RECORD_KEY = "/_etcdnet_migration";

/** What a migration notes: from where it copies. */
export interface Claim {
  /** Cluster id of the source. */
  readonly source: string;
  /** Which store of the cluster it is. */
  readonly store: DataLocation["store"];
  /** Its top there. */
  readonly prefix: string;
}

async function readRecord(target: Tree, options: CallOptions): Promise<Claim | undefined> {
  const { self } = await list(target, RECORD_KEY, options);
  return self?.value === undefined ? undefined : parse(self.value);
}

export async function writeRecord(
  target: Tree,
  record: Claim,
  options: CallOptions,
): Promise<void> {
  const value = JSON.stringify(record);
  await target.execute({ action: "set", key: RECORD_KEY, value }, options);
}

/** Looks whether a target may be written to. @throws TargetInUseError when it has data of others */
export async function claimTarget(
  target: Tree,
  claim: Claim,
  { tops, overwrite }: { readonly tops: readonly string[]; readonly overwrite: boolean },
  options: CallOptions,
): Promise<void> {
  const record = await readRecord(target, options);
  if (overwrite || (record !== undefined && isOf(claim, record))) return;
  if (await areEmpty(target, tops, options)) return;
  const whose = record === undefined ? "" : ` of a migration from cluster ${record.source}`;
  throw new TargetInUseError(
    `the target has data already${whose}; with overwrite, it becomes what the source is, and what the source does not have is removed`,
  );
}

function isOf({ source, store, prefix }: Claim, record: Claim): boolean {
  return record.source === source && record.store === store && record.prefix === prefix;
}

/** Hidden tops are not listed by the root. */
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

function parse(text: string): Claim | undefined {
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
