import type { Entry } from "./messages.js";
import type { RecordPlace } from "./wal-records.js";

/** An entry, and where it is. */
export type LoggedEntry = Entry & RecordPlace;

/**
 * Raft's log behind a snapshot. An entry replaces the entry with the same index and all later ones, unless they
 * are committed.
 */
export class EntryLog {
  readonly #start: number;
  #committed: number;
  /** Entries behind the committed ones. */
  readonly #pending: LoggedEntry[] = [];

  /** @param start index of the snapshot; entries up to it are ignored */
  constructor(start: number) {
    this.#start = start;
    this.#committed = start;
  }

  /** Index of the last committed entry that was taken. */
  get committed(): number {
    return this.#committed;
  }

  /** Entries that are not known to be committed. */
  get pending(): readonly LoggedEntry[] {
    return this.#pending;
  }

  /** Adds an entry, unless it is part of the snapshot. @throws Error for a log that raft cannot have written */
  add(entry: LoggedEntry): void {
    const { index, term } = entry;
    if (index <= this.#start) return;
    const at = index - this.#committed - 1;
    if (at < 0) throw new Error(`entry ${index} was committed before, and is replaced`);
    if (at > this.#pending.length) {
      const next = this.#committed + this.#pending.length + 1;
      throw new Error(`entry ${next} is missing: entry ${index} follows`);
    }
    const before = this.#pending[at - 1];
    if (before !== undefined && before.term > term) {
      throw new Error(`the term of entry ${index} is ${term}, lower than that of the entry before`);
    }
    this.#pending.length = at;
    this.#pending.push(entry);
  }

  /** Takes the entries up to `commit` that were not taken yet. */
  take(commit: number): readonly LoggedEntry[] {
    const taken = this.#pending.splice(0, Math.max(commit - this.#committed, 0));
    this.#committed += taken.length;
    return taken;
  }
}
