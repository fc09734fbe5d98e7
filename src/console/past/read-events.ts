import type { WatchResponse } from "../../etcd3/rpcs.js";
import type { KeyRange } from "../../etcd3/transaction.js";
import type { V3Api, V3Call, V3Stream } from "../../etcd3/v3-api.js";
import { MAX_REVISIONS_PER_MESSAGE } from "../../key-space/v3/past/key-changes.js";
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
  /** Present revision of etcd. */
  readonly revision: number;
}

/** Without a change, etcd sends nothing by which the end could be known. */
const SILENCE_MS = 2_000;
/** Revisions, of all keys, among which a busy etcd searches in a millisecond. */
const SEARCHED_PER_MS = 20;
/** Until etcd has found the first change among those of other keys. */
const PATIENCE_MS = 20_000;
const MAX_BYTES = 1024 * 1024 * 1024;

/**
 * Reads what has happened to the keys of a range since the revision that etcd has compacted, through watches.
 *
 * @throws ConsoleError when the user may not read the range, and the errors of a watch
 */
export async function readEvents<T>(
  api: V3Api,
  { key, range_end }: KeyRange,
  wanted: Wanted<T>,
  call: V3Call,
): Promise<PastEvents<T>> {
  for (let compacted = 0; ; ) {
    const reading = new Reading(wanted, compacted);
    for (;;) {
      const { from } = reading;
      const options = { prev_kv: false, fragment: true, progress_notify: false };
      const stream = await api.watch({ key, range_end, start_revision: from, ...options }, call);
      try {
        const end = await reading.readMessage(stream);
        if (end === "complete" || end === "cut") {
          return { ...reading.result(end === "complete"), compacted };
        }
        if (end === "full") continue;
        compacted = end;
        break;
      } finally {
        stream.close();
      }
    }
  }
}

/** What was read since a revision. */
class Reading<T> {
  readonly #wanted: Wanted<T>;
  readonly #found: T[] = [];
  #isCut = false;
  #bytes = 0;
  /** First revision of the next watch. After a message, something has changed there, so that etcd sends another one. */
  from: number;
  /** Up to this one, all changes were read. */
  #read = 0;

  constructor(wanted: Wanted<T>, compacted: number) {
    this.#wanted = wanted;
    this.from = Math.max(1, compacted);
  }

  /**
   * @returns the first revision that etcd has, if it has compacted others; `full`: others may follow; `cut`: it is not known
   *   whether others do
   */
  async readMessage(stream: V3Stream): Promise<"complete" | "full" | "cut" | number> {
    const { pick, keep, hasChanged, revision: present } = this.#wanted;
    const isCertain = hasChanged || this.#read > 0;
    const silence = SILENCE_MS + Math.max(0, present - this.from) / SEARCHED_PER_MS;
    /** Of the message, which etcd sends in fragments. */
    let revisions = 0;
    let last = 0;
    for (;;) {
      const isPatient = isCertain || last > 0;
      const patience = isPatient ? PATIENCE_MS : Math.min(PATIENCE_MS, silence);
      const timeout = setTimeout(() => stream.close(), patience);
      const response = await stream.next().finally(() => clearTimeout(timeout));
      if (response === undefined) return "cut";
      if (response.compact_revision > 0) return response.compact_revision;
      if (response.canceled) throw new ConsoleError(403, `etcd: ${response.cancel_reason}`);
      for (const event of response.events) {
        const revision = event.kv?.mod_revision ?? last;
        if (revision !== last) revisions++;
        last = revision;
        const picked = revision > this.#read ? pick(event) : undefined;
        if (picked !== undefined) this.#found.push(picked);
      }
      if (this.#found.length > 2 * keep) {
        this.#found.splice(0, this.#found.length - keep);
        this.#isCut = true;
      }
      if (this.#bytes + stream.received > MAX_BYTES) return "cut";
      if (response.fragment || revisions === 0) continue;
      if (revisions < MAX_REVISIONS_PER_MESSAGE) return "complete";
      this.#bytes += stream.received;
      this.#read = this.from = last;
      return "full";
    }
  }

  result(isComplete: boolean): Omit<PastEvents<T>, "compacted"> {
    const { keep } = this.#wanted;
    const isWhole = isComplete && !this.#isCut && this.#found.length <= keep;
    return { found: this.#found.slice(-keep), isComplete: isWhole };
  }
}
