import { toHexId } from "../etcd3/hex-id.js";
import { EntryLog, type LoggedEntry } from "./entry-log.js";
import { DamagedFileError, MemberDataError } from "./member-data-error.js";
import { Membership } from "./membership.js";
import { EntryMessage, HardStateMessage, MetadataMessage } from "./messages.js";
import { Replay } from "./replay.js";
import type { MemberSnapshot } from "./snapshot-files.js";
import { V2Store } from "./v2-store.js";
import {
  ENTRY,
  METADATA,
  type RecordPlace,
  SNAPSHOT,
  STATE,
  type WalRecord,
  walRecords,
} from "./wal-records.js";

/** Indexes of raft's log. */
export interface LogInfo {
  /** Up to this index, the member has recorded that the entries are committed. */
  readonly commit: number;
  /** Up to this index, the entries were applied. */
  readonly applied: number;
  /** The last entry. */
  readonly last: number;
}

/** What the log says before its entries are applied. Ids are decimal. */
interface LogSummary {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly commit: number;
  /** The number of valid records. */
  readonly records: number;
}

/**
 * Reads the log without its entries. With `untilDamage`, it ends at the first damaged record.
 *
 * @throws MemberDataError
 */
export function summaryOf(
  files: readonly string[],
  untilDamage: boolean,
  warn: (text: string) => void,
): LogSummary {
  let summary: LogSummary = { nodeId: "", clusterId: "", commit: 0, records: 0 };
  try {
    for (const record of walRecords(files, warn)) {
      summary = { ...summary, ...summarize(record, summary), records: summary.records + 1 };
    }
  } catch (error) {
    if (!untilDamage || !(error instanceof DamagedFileError)) throw error;
    warn(`${error.message}; everything behind it is ignored`);
  }
  if (summary.nodeId === "") throw new MemberDataError(`${files[0]} has no metadata of a member`);
  return summary;
}

/** @throws DamagedFileError */
function summarize(record: WalRecord, known: LogSummary): Partial<LogSummary> {
  if (record.type === METADATA) {
    const found = decoded(record, (data) => MetadataMessage.decode(data));
    const isSame = found.nodeId === known.nodeId && found.clusterId === known.clusterId;
    if (known.nodeId !== "" && !isSame) {
      throw damaged(record, "the metadata is that of another member");
    }
    return found;
  }
  if (record.type === ENTRY || record.type === SNAPSHOT) return {};
  if (record.type !== STATE)
    throw damaged(record, `the record has the unknown type ${record.type}`);
  const { commit } = decoded(record, (data) => HardStateMessage.decode(data));
  return { commit: Math.max(commit, known.commit) };
}

/** Applies the log behind a snapshot. @throws MemberDataError */
export function replayOf(
  files: readonly string[],
  snapshot: MemberSnapshot | undefined,
  { nodeId, commit, records }: LogSummary,
  uncommitted: boolean,
): { readonly replay: Replay; readonly log: LogInfo } {
  const { index: start = 0, voters = [], learners = [] } = snapshot ?? {};
  const store = new V2Store(snapshot?.store);
  const replay = new Replay(store, new Membership(store, voters, learners));
  const log = new EntryLog(start);
  let read = 0;
  for (const record of walRecords(files)) {
    if (record.type === STATE) {
      const state = decoded(record, (data) => HardStateMessage.decode(data));
      for (const entry of log.take(state.commit)) applyTo(replay, entry);
    } else if (record.type === ENTRY) {
      decoded(record, (data) => log.add({ ...record, ...EntryMessage.decode(data) }));
    }
    // The record behind the last valid one would throw an error.
    if (++read === records) break;
  }
  if (log.committed < commit) {
    const first = log.committed + 1;
    throw new MemberDataError(
      `entries ${first} to ${commit} are committed, but missing in the log`,
    );
  }
  // Entries of the only voter are committed as soon as they are written.
  const isOnlyVoter = (): boolean => replay.membership.voters.join() === toHexId(nodeId);
  while (log.pending.length > 0 && (uncommitted || isOnlyVoter())) {
    for (const entry of log.take(log.committed + 1)) applyTo(replay, entry);
  }
  const applied = log.committed;
  return { replay, log: { commit, applied, last: applied + log.pending.length } };
}

function applyTo(replay: Replay, entry: LoggedEntry): void {
  try {
    replay.apply(entry);
  } catch (error) {
    throw damaged(entry, `entry ${entry.index}: ${(error as Error).message}`, error);
  }
}

/** @throws DamagedFileError when the data of the record is not valid */
function decoded<T>(record: WalRecord, decode: (data: Buffer) => T): T {
  try {
    return decode(record.data);
  } catch (error) {
    throw damaged(record, (error as Error).message, error);
  }
}

function damaged(
  { file, offset }: RecordPlace,
  problem: string,
  cause?: unknown,
): DamagedFileError {
  return new DamagedFileError(file, offset, problem, cause);
}
