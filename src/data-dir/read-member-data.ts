import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { toHexId } from "../etcd3/hex-id.js";
import { bytesOf } from "./bytes.js";
import { isLocked } from "./in-use.js";
import { MemberDataError } from "./member-data-error.js";
import { type LogInfo, replayOf, summaryOf } from "./member-log.js";
import type { Membership } from "./membership.js";
import type { RequestCounts } from "./replay.js";
import { type MemberSnapshot, newestSnapshot } from "./snapshot-files.js";
import type { V2Store } from "./v2-store.js";
import { walFiles } from "./wal-files.js";

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
  /** v2 requests in the log behind the snapshot. */
  readonly requests: RequestCounts;
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

function infoOf({ file, index, term, store }: MemberSnapshot): SnapshotInfo {
  const nodes = store.nodes.filter(([path]) => path !== "/1" && !/^\/0(\/|$)/.test(path)).length;
  return { file, index, term, nodes };
}
