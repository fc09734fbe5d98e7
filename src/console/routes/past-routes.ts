import { isUtf8 } from "node:buffer";
import type { KeyValue } from "../../etcd3/rpcs.js";
import { NO_LEASE } from "../../etcd3/transaction.js";
import { forEachConcurrent } from "../../transfer/source/for-each-concurrent.js";
import { ConsoleError, keyIn, numberIn } from "../http/json-exchange.js";
import type { ChangedKey, PastDirectory, RemovalsAnswer } from "../model/page-types.js";
import { comparePast } from "../past/compare-past.js";
import { PastDirectoryReader, v3StoreOf } from "../past/keys-at.js";
import { type PastEvent, readEvents } from "../past/read-events.js";
import { type RemovedKey, removalsOf } from "../past/removals.js";
import type { ConsoleRequest } from "./route.js";

/** The newest ones. */
const MAX_REMOVALS = 100;
const MAX_REMOVED_KEYS = 100_000;
/** Changed keys whose values are read, so that those that are equal are not shown as changed. */
const MAX_COMPARED_VALUES = 500;
const MAX_SHOWN_BYTES = 16 * 1024;
const CONCURRENT_READS = 16;

/** When keys of a directory were removed. */
export async function listRemovals(request: ConsoleRequest): Promise<RemovalsAnswer> {
  const { session, query, signal } = request;
  const reader = new PastDirectoryReader(session, keyIn(query), signal);
  const pick = ({ type, kv }: PastEvent): RemovedKey | undefined => {
    const key = type === "DELETE" && kv !== undefined ? reader.keyOf(kv.key) : undefined;
    return key === undefined ? undefined : { revision: kv?.mod_revision ?? 0, key };
  };
  const wanted = { pick, keep: MAX_REMOVED_KEYS, hasChanged: await reader.hasKeys() };
  const { api } = v3StoreOf(session);
  const { found, compacted, isComplete } = await readEvents(api, reader.range, wanted, reader.call);
  const removals = removalsOf(found);
  return {
    removals: removals.slice(0, MAX_REMOVALS),
    compacted,
    isComplete: isComplete && removals.length <= MAX_REMOVALS,
  };
}

/** A directory as it was at a revision, compared with what is there now. */
export async function showPastDirectory(request: ConsoleRequest): Promise<PastDirectory> {
  const { session, query, signal } = request;
  const key = keyIn(query);
  const revision = numberIn(query, "revision", 0);
  if (revision === 0) throw new ConsoleError(400, "revision is missing");
  const reader = new PastDirectoryReader(session, key, signal);
  const then = await reader.keysAt(revision);
  const now = await reader.keysAt(0);
  const { missing, changed, same, added } = comparePast(then, now);
  const compared = await compareValues(reader, changed, [revision, now.revision]);
  const temporary = missing.length > 0 ? await temporaryKeys(reader, revision) : NONE;
  return {
    ...{ key, revision, seen: now.revision, keys: then.keys.size, added },
    same: same + changed.length - compared.length,
    missing: missing.map((each) => {
      return { key: each, wasTemporary: temporary.has(each) };
    }),
    changed: compared,
  };
}

const NONE: ReadonlySet<string> = new Set();

/** The keys that had a TTL. */
async function temporaryKeys(
  reader: PastDirectoryReader,
  revision: number,
): Promise<ReadonlySet<string>> {
  const temporary = new Set<string>();
  for await (const [key, { lease }] of reader.entriesAt(revision)) {
    if (lease !== NO_LEASE) temporary.add(key);
  }
  return temporary;
}

/** Those keys whose values differ. */
async function compareValues(
  reader: PastDirectoryReader,
  keys: readonly string[],
  [then, now]: readonly [number, number],
): Promise<readonly ChangedKey[]> {
  const changed = new Map<string, ChangedKey>(keys.map((key) => [key, { key }]));
  await forEachConcurrent(keys.slice(0, MAX_COMPARED_VALUES), CONCURRENT_READS, async (key) => {
    const [before, after] = [await reader.entryAt(key, then), await reader.entryAt(key, now)];
    if (before === undefined || after === undefined) return;
    if (before.value.equals(after.value)) changed.delete(key);
    else changed.set(key, { key, ...shown("before", before), ...shown("now", after) });
  });
  return [...changed.values()];
}

function shown(name: "before" | "now", { value }: KeyValue): Partial<ChangedKey> {
  const isShown = value.length <= MAX_SHOWN_BYTES && isUtf8(value);
  return isShown ? { [name]: value.toString() } : {};
}
