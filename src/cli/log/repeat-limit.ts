import type { Clock } from "../../time/clock.js";

/** Interval in which equal lines are written once. */
const INTERVAL_MS = 60_000;

/** Different lines per interval. Beyond it, lines are only counted, together. */
const MAX_LINES = 1_000;

/** Writes a line again, with the number of its repetitions. */
type WriteRepeated = (repeated: number) => void;

interface Repeated {
  count: number;
  write: WriteRepeated;
}

/** Counts lines that repeat within a minute instead of writing each: something that flaps must not fill the disk. */
export class RepeatLimit {
  readonly #clock: Clock;
  readonly #lines = new Map<string, Repeated>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether to write a line now. Else `write` is called at the end of the interval, for all repetitions. */
  admits(id: string, write: WriteRepeated): boolean {
    this.#cancel ??= this.#clock.after(INTERVAL_MS, () => this.#endInterval());
    const key = this.#lines.size >= MAX_LINES && !this.#lines.has(id) ? "" : id;
    const line = this.#lines.get(key);
    if (line === undefined) {
      this.#lines.set(key, { count: key === "" ? 1 : 0, write });
      return key !== "";
    }
    line.count++;
    line.write = write;
    return false;
  }

  /** Writes what was counted, and stops. */
  end(): void {
    this.#cancel?.();
    this.#endInterval();
    this.#cancel?.();
  }

  #endInterval(): void {
    this.#cancel = undefined;
    const repeated = [...this.#lines].filter(([, { count }]) => count > 0);
    this.#lines.clear();
    for (const [id, { count, write }] of repeated) {
      // It stays known, so that something that flaps for hours writes one line per interval.
      if (id !== "") this.#lines.set(id, { count: 0, write });
      write(count);
    }
    if (this.#lines.size > 0)
      this.#cancel = this.#clock.after(INTERVAL_MS, () => this.#endInterval());
  }
}
