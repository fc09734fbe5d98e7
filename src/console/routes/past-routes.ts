import { isUtf8 } from "node:buffer";
import type { KeyValue } from "../../etcd3/rpcs.js";
import { NO_LEASE } from "../../etcd3/transaction.js";
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
/** Changed keys whose values are sent. */
const MAX_SHOWN_VALUES = 200;
const MAX_SHOWN_BYTES = 16 * 1024;

/** When keys of a directory were removed. */
export async function listRemovals(request: ConsoleRequest): Promise<RemovalsAnswer> {
  const { session, query, signal } = request;
  const reader = new PastDirectoryReader(session, keyIn(query), signal);
  const pick = ({ type, kv }: PastEvent): RemovedKey | undefined => {
    const key = type === "DELETE" && kv !== undefined ? reader.keyOf(kv.key) : undefined;
    return key === undefined ? undefined : { revision: kv?.mod_revision ?? 0, key };
  };
  const { hasKeys: hasChanged, revision: present } = await reader.present();
  const wanted = { pick, keep: MAX_REMOVED_KEYS, hasChanged, revision: present };
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
  return {
    ...{ key, revision, seen: now.revision, keys: then.keys.size, added },
    same: same + changed.length - compared.changed.length,
    missing: missing.map((each) => ({ key: each, wasTemporary: compared.temporary.has(each) })),
    changed: compared.changed,
  };
}

/** What the values say that the revisions of keys do not. */
interface ComparedValues {
  /** Those keys whose values differ. A key that was written again with the same value is as it was. */
  readonly changed: readonly ChangedKey[];
  /** The keys that had a TTL. */
  readonly temporary: ReadonlySet<string>;
}

/** Reads both states in pages, in the same order. @param keys that are in both, in this order */
async function compareValues(
  reader: PastDirectoryReader,
  keys: readonly string[],
  [then, now]: readonly [number, number],
): Promise<ComparedValues> {
  const sought = new Set(keys);
  const temporary = new Set<string>();
  const changed: ChangedKey[] = [];
  const present = reader.entriesAt(now);
  try {
    for await (const [key, before] of reader.entriesAt(then)) {
      if (before.lease !== NO_LEASE) temporary.add(key);
      if (!sought.has(key)) continue;
      const after = await entryOf(present, key);
      if (after === undefined || before.value.equals(after.value)) continue;
      const isShown = changed.length < MAX_SHOWN_VALUES;
      const values = isShown ? { ...shown("before", before), ...shown("now", after) } : {};
      changed.push({ key, ...values });
    }
  } finally {
    await present.return(undefined);
  }
  return { changed, temporary };
}

/** Reads up to a key. */
async function entryOf(
  entries: AsyncGenerator<readonly [string, KeyValue]>,
  key: string,
): Promise<KeyValue | undefined> {
  for (;;) {
    const { done, value } = await entries.next();
    if (done === true) return undefined;
    if (value[0] === key) return value[1];
  }
}

function shown(name: "before" | "now", { value }: KeyValue): Partial<ChangedKey> {
  const isShown = value.length <= MAX_SHOWN_BYTES && isUtf8(value);
  return isShown ? { [name]: value.toString() } : {};
}
