import { parentPath } from "../../key-space/shared/path.js";
import type { Clock } from "../../time/clock.js";

/** Least milliseconds between two looks at the same TTLs. */
const LEAST_WAIT = 500;

/**
 * When to look at TTLs again: before half of the least has passed, since whoever renews a key of the
 * source does so silently. It is kept per directory, as one listing tells all TTLs in it.
 */
export class TtlSchedule {
  readonly #clock: Clock;
  /** Keys that are no child of a directory that is listed. */
  readonly #tops: ReadonlySet<string>;
  /** Monotonic moments. */
  readonly #due = new Map<string, number>();

  constructor(clock: Clock, tops: readonly string[]) {
    this.#clock = clock;
    this.#tops = new Set(tops);
  }

  /** `ttl` is in seconds, counted from the monotonic moment `since`. */
  note(key: string, ttl: number, since: number): void {
    const listed = this.#tops.has(key) ? key : parentPath(key) || "/";
    const due = Math.max(since + (ttl * 1000) / 2, this.#clock.monotonic() + LEAST_WAIT);
    this.#due.set(listed, Math.min(due, this.#due.get(listed) ?? due));
  }

  /** Directories, or tops, that are to be looked at now; their TTLs are to be noted anew. */
  takeDue(): readonly string[] {
    const now = this.#clock.monotonic();
    const due = [...this.#due].filter(([, moment]) => moment <= now).map(([key]) => key);
    for (const key of due) this.#due.delete(key);
    return due;
  }

  /** Milliseconds until the next is due; absent: there is none. */
  get wait(): number | undefined {
    if (this.#due.size === 0) return undefined;
    let first = Number.POSITIVE_INFINITY;
    for (const moment of this.#due.values()) first = Math.min(first, moment);
    return Math.max(0, first - this.#clock.monotonic());
  }
}
