import type { WatchResponse } from "../../etcd3/rpcs.js";
import type { KeyRange } from "../../etcd3/transaction.js";
import type { V3Api, V3Call, V3Stream } from "../../etcd3/v3-api.js";
import { ConsoleError } from "../http/json-exchange.js";

/** A change of a key of etcd. */
export type PastEvent = WatchResponse["events"][number];

/** What etcd has said about the past of a range, oldest first. */
export interface PastEvents<T> {
  /** The newest ones. */
  readonly found: readonly T[];
  /** First revision that etcd still has; 0: all of them. */
  readonly compacted: number;
  /** `false`: there may be others. */
  readonly isComplete: boolean;
}

interface Wanted<T> {
  /** What is kept of an event; `undefined`: nothing. */
  readonly pick: (event: PastEvent) => T | undefined;
  /** Number of those that are kept. */
  readonly keep: number;
  /** Whether something in the range has certainly changed, so that etcd will send something. */
  readonly hasChanged: boolean;
}

/** etcd puts at most so many revisions of the past into a message. One with less has all up to its time. */
const MAX_REVISIONS_PER_MESSAGE = 1_000;
/** Without a change, etcd sends nothing by which the end could be known. */
const SILENCE_MS = 2_000;
/** Until etcd has found the first change among those of other keys. */
const PATIENCE_MS = 20_000;
const MAX_BYTES = 1024 * 1024 * 1024;

/**
 * Reads what has happened to the keys of a range since the revision that etcd has compacted, through a watch.
 *
 * @throws ConsoleError when the user may not read the range, and the errors of a watch
 */
export async function readEvents<T>(
  api: V3Api,
  { key, range_end }: KeyRange,
  wanted: Wanted<T>,
  call: V3Call,
): Promise<PastEvents<T>> {
  for (let from = 1; ; ) {
    const options = { prev_kv: false, fragment: true, progress_notify: false };
    const stream = await api.watch({ key, range_end, start_revision: from, ...options }, call);
    try {
      const read = await readStream(stream, wanted);
      if (typeof read !== "number") return { ...read, compacted: from === 1 ? 0 : from };
      from = read;
    } finally {
      stream.close();
    }
  }
}

/** @returns the first revision that etcd has, if it has compacted others */
async function readStream<T>(
  stream: V3Stream,
  { pick, keep, hasChanged }: Wanted<T>,
): Promise<Omit<PastEvents<T>, "compacted"> | number> {
  const found: T[] = [];
  let isCut = false;
  /** Of the message, which etcd sends in fragments. */
  let revisions = 0;
  let last = 0;
  for (;;) {
    const patience = hasChanged || last > 0 ? PATIENCE_MS : SILENCE_MS;
    const timeout = setTimeout(() => stream.close(), patience);
    const response = await stream.next().finally(() => clearTimeout(timeout));
    if (response === undefined) return { found: found.slice(-keep), isComplete: false };
    if (response.compact_revision > 0) return response.compact_revision;
    if (response.canceled) throw new ConsoleError(403, `etcd: ${response.cancel_reason}`);
    for (const event of response.events) {
      const revision = event.kv?.mod_revision ?? last;
      if (revision !== last) revisions++;
      last = revision;
      const picked = pick(event);
      if (picked !== undefined) found.push(picked);
    }
    if (found.length > 2 * keep) isCut = found.splice(0, found.length - keep).length > 0;
    if (stream.received > MAX_BYTES) return { found: found.slice(-keep), isComplete: false };
    if (response.fragment) continue;
    if (revisions > 0 && revisions < MAX_REVISIONS_PER_MESSAGE) {
      return { found: found.slice(-keep), isComplete: !isCut && found.length <= keep };
    }
    revisions = 0;
  }
}
