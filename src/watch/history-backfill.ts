import type { Scan } from "../key-space/key-space.js";
import type { ScanRequest } from "../model/key-request.js";
import type { Clock } from "../time/clock.js";
import { linkSignals } from "../time/follow.js";
import { sleep } from "../time/sleep.js";
import type { ResumePoint } from "./resume-point.js";

/** Indexes for which one scan after another asks: of two that begin side by side, many give the same event. */
const STRETCH = 8;
/** Scans at a time. */
const MAX_WIDTH = 16;
/** Milliseconds until a member that is behind is asked again. */
const LAG_DELAY_MS = 50;

/** Why scans are aborted that nobody waits for any more. */
const OVER = new Error("the backfill has ended");

/** What a backfill needs of the watch that it serves. */
export interface BackfillTarget {
  readonly resumePoint: ResumePoint;
  readonly clock: Clock;
  scan(
    request: Pick<ScanRequest, "since" | "partial" | "until">,
    signal: AbortSignal,
  ): Promise<Scan>;
  /** Takes what a scan has shown that leads on from the resume point. @returns whether an event was new */
  takeScan(scan: Scan): boolean;
}

/** A scan that is under way or done, and the last index of the stretch for which it asks. */
interface PendingScan {
  readonly since: number;
  readonly partial: boolean;
  readonly until: number;
  readonly result: Promise<Scan>;
  isDone: boolean;
}

/**
 * Fetches from history the changes between the resume point and an index. One scan gives one event,
 * and a busy store forgets faster than sequential scans can read, so several stretches of indexes are
 * scanned in parallel and taken in order.
 */
export class HistoryBackfill {
  readonly #target: BackfillTarget;
  readonly #index: number;
  readonly #closing = new AbortController();
  /** Ordered by where they begin. */
  readonly #scans: PendingScan[] = [];
  /** First index that no scan covers. */
  #uncovered = 0;
  /** Grows with what is found, so that a thousand quiet watches do not scan that many times as much. */
  #width = 1;

  /** `index` is the last one to be fetched. */
  constructor(target: BackfillTarget, index: number) {
    this.#target = target;
    this.#index = index;
  }

  /**
   * @returns whether the resume point has passed the index; `false` when a scan gave no proof
   * @throws EventIndexClearedError, and what a key space throws
   */
  async fetch(signal: AbortSignal): Promise<boolean> {
    const either = linkSignals(signal, this.#closing.signal);
    try {
      while (this.#target.resumePoint.isPending(this.#index)) {
        if (!(await this.#takeNext(either.signal))) return false;
      }
      return true;
    } finally {
      this.close();
      either.unlink();
    }
  }

  /** Gives up what is under way. */
  close(): void {
    this.#closing.abort(OVER);
  }

  /** @returns whether to go on */
  async #takeNext(signal: AbortSignal): Promise<boolean> {
    const { resumePoint } = this.#target;
    this.#openScans(signal);
    const scan = this.#scans.shift();
    // It began where the scan before it was expected to lead, which has shown less.
    if (scan === undefined || !resumePoint.isFollowedBy(scan)) return true;
    const before = resumePoint.next;
    try {
      const shown = await scan.result;
      if (shown.provenIndex === undefined) return this.#isPassed(scan);
      this.#target.takeScan(shown);
      await this.#adapt(shown, before, signal);
      return true;
    } catch (error) {
      // What was scanned came another way.
      if (this.#isPassed(scan)) return true;
      throw error;
    }
  }

  /** Scans more at a time after an event; waits for a member that is behind. */
  async #adapt(
    { events, provenIndex = 0 }: Scan,
    before: number,
    signal: AbortSignal,
  ): Promise<void> {
    const last = events.at(-1)?.node.modifiedIndex ?? 0;
    if (last > provenIndex) this.#width = Math.min(2 * this.#width, MAX_WIDTH);
    else if (this.#target.resumePoint.next === before) {
      await sleep(LAG_DELAY_MS, this.#target.clock, signal);
    }
  }

  #isPassed({ until }: PendingScan): boolean {
    return !this.#target.resumePoint.isPending(until);
  }

  #openScans(signal: AbortSignal): void {
    const { next, since = 0, isPartial } = this.#target.resumePoint;
    if (this.#scans.length === 0) {
      this.#uncovered = next;
      this.#scans.push(this.#open(since, isPartial, this.#nextStretch(), signal));
    }
    let underWay = this.#scans.filter(({ isDone }) => !isDone).length;
    for (; underWay < this.#width && this.#uncovered <= this.#index; underWay++) {
      const begin = this.#uncovered;
      this.#scans.push(this.#open(begin, false, this.#nextStretch(), signal));
    }
  }

  /** @returns its last index */
  #nextStretch(): number {
    this.#uncovered += STRETCH;
    return this.#uncovered - 1;
  }

  #open(since: number, partial: boolean, until: number, signal: AbortSignal): PendingScan {
    const request = { since, partial, until: this.#index };
    const scan: PendingScan = {
      ...{ since, partial, until, isDone: false },
      result: this.#target.scan(request, signal).then(
        (shown) => {
          scan.isDone = true;
          this.#goOn(scan, shown, signal);
          return shown;
        },
        (error: Error) => {
          scan.isDone = true;
          throw error;
        },
      ),
    };
    // A failure is looked at when its turn has come.
    scan.result.catch(() => {});
    return scan;
  }

  /** After an event, asks for the rest of the stretch. */
  #goOn(scan: PendingScan, { events, provenIndex = 0 }: Scan, signal: AbortSignal): void {
    const last = events.at(-1)?.node.modifiedIndex ?? 0;
    if (last <= provenIndex) return;
    this.#uncovered = Math.max(this.#uncovered, last + 1);
    const place = this.#scans.indexOf(scan) + 1;
    if (last >= scan.until) return;
    this.#scans.splice(place, 0, this.#open(last, true, scan.until, signal));
  }
}
