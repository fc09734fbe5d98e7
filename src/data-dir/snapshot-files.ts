import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { toHexId } from "../etcd3/hex-id.js";
import type { StoreSnapshot } from "../key-space/memory/store.js";
import { crc32c } from "./crc32c.js";
import { RaftSnapshotMessage, SnapshotFileMessage } from "./messages.js";
import { readStoreJson } from "./store-json.js";

const SNAPSHOT_NAME = /^[\da-f]+-([\da-f]+)\.snap$/;

/** The v2 store of a member at an index of raft's log. */
export interface MemberSnapshot {
  readonly file: string;
  readonly index: number;
  readonly term: number;
  readonly store: StoreSnapshot;
  /** Hexadecimal. */
  readonly voters: readonly string[];
  readonly learners: readonly string[];
}

/**
 * Reads the newest snapshot that is not newer than the log, and not damaged. Undefined when there is none: then
 * the log begins with an empty store.
 *
 * @param commit index up to which the log is committed
 */
export function newestSnapshot(
  directory: string,
  commit: number,
  onWarning: (text: string) => void,
): MemberSnapshot | undefined {
  const names = readdirSync(directory).filter((name) => SNAPSHOT_NAME.test(name));
  for (const name of names.toSorted().reverse()) {
    const file = join(directory, name);
    const index = Number(`0x${SNAPSHOT_NAME.exec(name)?.[1]}`);
    // etcd writes the file of a snapshot before its log refers to it.
    if (index > commit) {
      onWarning(`${file} is not used: it is newer than the log, which ends at entry ${commit}`);
      continue;
    }
    try {
      return readSnapshot(file, index);
    } catch (error) {
      const { message } = error as Error;
      onWarning(`${file} is not used: ${message}`);
    }
  }
  return undefined;
}

/** @throws Error for a damaged file */
function readSnapshot(file: string, named: number): MemberSnapshot {
  const { crc, data } = SnapshotFileMessage.decode(readFileSync(file));
  if (data.length === 0) throw new Error("it is empty");
  if (crc32c(data) !== crc) throw new Error("its checksum is wrong");
  const { data: json, metadata } = RaftSnapshotMessage.decode(data);
  if (metadata === undefined) throw new Error("it has no metadata");
  const { index, term, confState } = metadata;
  if (index !== named) throw new Error(`it is of entry ${index}`);
  const { voters = [], learners = [] } = confState ?? {};
  const store = readStoreJson(json);
  return { file, index, term, store, voters: voters.map(toHexId), learners: learners.map(toHexId) };
}
