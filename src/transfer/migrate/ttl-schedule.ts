import { parentPath } from "../../key-space/shared/path.js";
import type { Clock } from "../../time/clock.js";

/** Minimum interval between two reads of the same TTLs. */
const MIN_READ_INTERVAL_MS = 500;

/**
 * Schedules the next read of TTLs, after half of the shortest one. TTLs must be read, because a renewal
 * on the source causes no event. The schedule is kept per directory, because one listing returns all
 * TTLs in it.
 */
export class TtlSchedule {
  readonly #clock: Clock;
  /** Keys that are read themselves; the listing of their parent does not contain them. */
  readonly #tops: ReadonlySet<string>;
  /** Monotonic times. */
  readonly #due = new Map<string, number>();

  constructor(clock: Clock, tops: readonly string[]) {
    this.#clock = clock;
    this.#tops = new Set(tops);
  }

  /** `ttl` is in seconds, counted from the monotonic time `since`. */
  schedule(key: string, ttl: number, since: number): void {
    const listed = this.#tops.has(key) ? key : parentPath(key) || "/";
    const due = Math.max(since + (ttl * 1000) / 2, this.#clock.monotonic() + MIN_READ_INTERVAL_MS);
    this.#due.set(listed, Math.min(due, this.#due.get(listed) ?? due));
  }

  /** Directories, or tops, to read now. The caller schedules their TTLs again. */
  takeDue(): readonly string[] {
    const now = this.#clock.monotonic();
    const due = [...this.#due].filter(([, moment]) => moment <= now).map(([key]) => key);
    for (const key of due) this.#due.delete(key);
    return due;
  }

  /** All directories, or tops, that have TTLs. */
  takeAll(): readonly string[] {
    const keys = [...this.#due.keys()];
    this.#due.clear();
    return keys;
  }

  /** Milliseconds until the next read; `undefined` when none is scheduled. */
  get delay(): number | undefined {
    if (this.#due.size === 0) return undefined;
    let first = Number.POSITIVE_INFINITY;
    for (const moment of this.#due.values()) first = Math.min(first, moment);
    return Math.max(0, first - this.#clock.monotonic());
  }
}
