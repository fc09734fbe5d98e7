import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { toHexId } from "../etcd3/hex-id.js";
import { bytesOf } from "./bytes.js";
import { EntryLog, type LoggedEntry } from "./entry-log.js";
import { isLocked } from "./in-use.js";
import { DamagedFileError, MemberDataError } from "./member-data-error.js";
import { Membership } from "./membership.js";
import { EntryMessage, HardStateMessage, MetadataMessage } from "./messages.js";
import { Replay } from "./replay.js";
import { type MemberSnapshot, newestSnapshot } from "./snapshot-files.js";
import { V2Store } from "./v2-store.js";
import { walFiles } from "./wal-files.js";
import {
  ENTRY,
  METADATA,
  type RecordPlace,
  SNAPSHOT,
  STATE,
  type WalRecord,
  walRecords,
} from "./wal-records.js";

/** U+FFFD, with one character per byte. */
const REPLACEMENT = bytesOf("\ufffd");

/** Options of {@link readMemberData}. */
export interface ReadMemberOptions {
  /**
   * The directory of the write-ahead log: etcd's `--wal-dir`.
   *
   * @default the directory `wal` of the member
   */
  readonly walDirectory?: string | undefined;
  /**
   * Also apply entries that the member has not recorded as committed. Other members may not have them.
   *
   * @default false: apply them only if the member is the only voter, whose entries are all committed
   */
  readonly uncommitted?: boolean | undefined;
  /**
   * End at the first damaged record of the log, and use what is before it.
   *
   * @default false: throw an error
   */
  readonly untilDamage?: boolean | undefined;
}

/** The v2 data of a member that does not run. */
export interface MemberData {
  /** As given. */
  readonly directory: string;
  /** Ids in hexadecimal. */
  readonly id: string;
  readonly clusterId: string;
  /** The snapshot that the log was applied to; undefined when the log is complete. */
  readonly snapshot: SnapshotInfo | undefined;
  readonly log: LogInfo;
  /** Requests of the v2 API in the log behind the snapshot: for keys, and others. */
  readonly requests: { readonly keys: number; readonly other: number };
  /** All nodes, the index, members, users and roles. */
  readonly store: V2Store;
  readonly membership: Membership;
  /** Time of the last removal of expired keys, or of the last write: milliseconds since 1970. */
  readonly stoppedAt: number;
  /** What the caller should know, one sentence each. */
  readonly warnings: readonly string[];
}

interface SnapshotInfo {
  readonly file: string;
  /** Index and term of raft. */
  readonly index: number;
  readonly term: number;
  /** Number of nodes that are not about the members and the version of the cluster. */
  readonly nodes: number;
}

/** Indexes of raft's log. */
interface LogInfo {
  /** Up to this index, the member has recorded that the entries are committed. */
  readonly commit: number;
  /** Up to this index, the entries were applied. */
  readonly applied: number;
  /** The last entry. */
  readonly last: number;
}

/**
 * Reads the v2 store of an etcd member from its files: the newest valid snapshot, and the log behind it. Reads
 * synchronously, and never writes. The memory needed is that of the store and the snapshot.
 *
 * @param directory etcd's `--data-dir`, or the directory `member` in it
 * @throws MemberDataError when a running etcd uses the files, or when they are damaged or incomplete
 */
export function readMemberData(directory: string, options: ReadMemberOptions = {}): MemberData {
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const { wal, snap } = directoriesOf(directory, options);
  const before = stateOf(wal, snap);
  refuseIfLocked(directory, before, warn);
  const files = walFiles(wal, warn);
  const summary = summaryOf(files, options.untilDamage === true, warn);
  const newest = options.untilDamage ? Number.POSITIVE_INFINITY : summary.commit;
  const snapshot = newestSnapshot(snap, newest, warn);
  const { replay, log } = withWarnings(warnings, () =>
    replayOf(files, snapshot, summary, options.uncommitted === true),
  );
  if (stateOf(wal, snap).text !== before.text) {
    throw new MemberDataError(
      `${directory} changed while it was read: stop etcd, or copy the directory`,
    );
  }
  if (snapshot?.store.nodes.some(([path]) => path.includes(REPLACEMENT)) === true) {
    warn(
      `${snapshot.file} has U+FFFD in keys that may not have been UTF-8; requests for such keys may be lost`,
    );
  }
  if (replay.ignored > 0) {
    warn(
      `${replay.ignored} requests that end etcd were not applied: they set attributes of unknown members`,
    );
  }
  return {
    directory,
    id: toHexId(summary.nodeId),
    clusterId: toHexId(summary.clusterId),
    snapshot: snapshot && infoOf(snapshot),
    log,
    requests: replay.requests,
    store: replay.store,
    membership: replay.membership,
    stoppedAt: replay.syncedAt ?? before.modified,
    warnings,
  };
}

/** @throws MemberDataError */
function directoriesOf(directory: string, { walDirectory }: ReadMemberOptions) {
  const member = existsSync(join(directory, "member")) ? join(directory, "member") : directory;
  const [wal, snap] = [walDirectory ?? join(member, "wal"), join(member, "snap")];
  for (const path of [wal, snap]) {
    if (!existsSync(path)) {
      throw new MemberDataError(
        `${directory} is not the data directory of etcd: ${path} is missing`,
      );
    }
  }
  return { wal, snap };
}

/** Names, sizes and times of the files, to notice changes. */
function stateOf(...directories: readonly string[]) {
  const files = directories.flatMap((directory) =>
    readdirSync(directory).map((name) => join(directory, name)),
  );
  const stats = files.map((file) => statSync(file));
  const text = files
    .map((file, at) => `${file} ${stats[at]?.size} ${stats[at]?.mtimeMs}`)
    .join("\n");
  return { files, text, modified: Math.max(...stats.map(({ mtimeMs }) => mtimeMs)) };
}

/** @throws MemberDataError */
function refuseIfLocked(
  directory: string,
  { files }: { readonly files: readonly string[] },
  warn: (text: string) => void,
): void {
  const locked = isLocked(files);
  if (locked === true) {
    throw new MemberDataError(`a running etcd uses ${directory}: stop it, or copy the directory`);
  }
  if (locked === undefined) {
    warn("this system does not show locks of files: make sure that etcd does not run");
  }
}

/** Adds warnings to an error: a damaged snapshot can be why the log does not fit. */
function withWarnings<T>(warnings: readonly string[], read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MemberDataError) || warnings.length === 0) throw error;
    throw new MemberDataError([error.message, ...warnings].join("; "), { cause: error });
  }
}

/** What the log says before its entries are applied. Ids are decimal. */
interface Summary {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly commit: number;
  /** The number of valid records. */
  readonly records: number;
}

function summaryOf(
  files: readonly string[],
  untilDamage: boolean,
  warn: (text: string) => void,
): Summary {
  let summary: Summary = { nodeId: "", clusterId: "", commit: 0, records: 0 };
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
function summarize(record: WalRecord, known: Summary): Partial<Summary> {
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
function replayOf(
  files: readonly string[],
  snapshot: MemberSnapshot | undefined,
  { nodeId, commit, records }: Summary,
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

function infoOf({ file, index, term, store }: MemberSnapshot): SnapshotInfo {
  const nodes = store.nodes.filter(([path]) => path !== "/1" && !/^\/0(\/|$)/.test(path)).length;
  return { file, index, term, nodes };
}
