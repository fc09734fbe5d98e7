import type { ScanRequest } from "../../../model/key-request.js";
import type { Clock } from "../../../time/clock.js";
import { linkSignals } from "../../../time/link-signals.js";
import { sleep } from "../../../time/sleep.js";
import type { ResumePoint } from "./resume-point.js";
import type { Scan } from "./watch-requests.js";

/**
 * Number of indexes between the starts of two parallel scans. Scans that start close together often
 * return the same event.
 */
const RANGE_SIZE = 8;
/** Maximum number of parallel scans. */
const MAX_PARALLEL_SCANS = 16;
/** Milliseconds before another scan when the member is behind. */
const LAG_DELAY_MS = 50;

/** Abort reason of scans that are no longer needed. */
const BACKFILL_ENDED = new Error("the backfill has ended");

/** The watch that a backfill serves. */
export interface BackfillTarget {
  readonly resumePoint: ResumePoint;
  readonly clock: Clock;
  scan(request: Pick<ScanRequest, "since" | "partial">, signal: AbortSignal): Promise<Scan>;
  /**
   * Takes the result of a scan that continues from the resume point.
   *
   * @returns whether an event was new
   */
  takeScan(scan: Scan): boolean;
}

/** A running or finished scan, and the last index of its range. */
interface PendingScan {
  readonly since: number;
  readonly partial: boolean;
  readonly until: number;
  readonly result: Promise<Scan>;
  isDone: boolean;
}

/**
 * Fetches from history the changes between the resume point and an index. One scan returns one
 * event, and a busy store discards history faster than sequential scans can read it. So several
 * index ranges are scanned in parallel and consumed in order.
 */
export class HistoryBackfill {
  readonly #target: BackfillTarget;
  readonly #index: number;
  readonly #closing = new AbortController();
  /** Ordered by start index. */
  readonly #scans: PendingScan[] = [];
  /** First index that no scan covers. */
  #uncovered = 0;
  /**
   * Number of parallel scans. Grows while scans find events, so that many quiet watches send few
   * scans.
   */
  #parallelScans = 1;

  /** `index`: the last index to fetch. */
  constructor(target: BackfillTarget, index: number) {
    this.#target = target;
    this.#index = index;
  }

  /**
   * @returns whether the resume point has passed the index; `false` when a scan gave no proof
   * @throws EventIndexClearedError, and the errors of the key space
   */
  async fetch(signal: AbortSignal): Promise<boolean> {
    const either = linkSignals(signal, this.#closing.signal);
    try {
      while (this.#target.resumePoint.isPending(this.#index)) {
        if (!(await this.#consumeNext(either.signal))) return false;
      }
      return true;
    } finally {
      this.close();
      either.unlink();
    }
  }

  /** Aborts the running scans. */
  close(): void {
    this.#closing.abort(BACKFILL_ENDED);
  }

  /** @returns whether to continue */
  async #consumeNext(signal: AbortSignal): Promise<boolean> {
    const { resumePoint } = this.#target;
    this.#startScans(signal);
    const scan = this.#scans.shift();
    // The previous scan did not reach the start of this one. Discard it.
    if (scan === undefined || !resumePoint.isFollowedBy(scan)) return true;
    const before = resumePoint.next;
    try {
      const result = await scan.result;
      if (result.provenIndex === undefined) return this.#isPassed(scan);
      this.#target.takeScan(result);
      await this.#adapt(result, before, signal);
      return true;
    } catch (error) {
      // The stream has delivered this range.
      if (this.#isPassed(scan)) return true;
      throw error;
    }
  }

  /** Scans more in parallel after an event; waits when the member is behind. */
  async #adapt(
    { events, provenIndex = 0 }: Scan,
    before: number,
    signal: AbortSignal,
  ): Promise<void> {
    const last = events.at(-1)?.node.modifiedIndex ?? 0;
    if (last > provenIndex)
      this.#parallelScans = Math.min(2 * this.#parallelScans, MAX_PARALLEL_SCANS);
    else if (this.#target.resumePoint.next === before) {
      await sleep(LAG_DELAY_MS, this.#target.clock, signal);
    }
  }

  #isPassed({ until }: PendingScan): boolean {
    return !this.#target.resumePoint.isPending(until);
  }

  #startScans(signal: AbortSignal): void {
    const { next, since = 0, isPartial } = this.#target.resumePoint;
    if (this.#scans.length === 0) {
      this.#uncovered = next;
      this.#scans.push(this.#startScan(since, isPartial, this.#nextRange(), signal));
    }
    let running = this.#scans.filter(({ isDone }) => !isDone).length;
    for (; running < this.#parallelScans && this.#uncovered <= this.#index; running++) {
      const since = this.#uncovered;
      this.#scans.push(this.#startScan(since, false, this.#nextRange(), signal));
    }
  }

  /** @returns the last index of the range */
  #nextRange(): number {
    this.#uncovered += RANGE_SIZE;
    return this.#uncovered - 1;
  }

  #startScan(since: number, partial: boolean, until: number, signal: AbortSignal): PendingScan {
    const scan: PendingScan = {
      since,
      partial,
      until,
      isDone: false,
      result: this.#target.scan({ since, partial }, signal).then(
        (result) => {
          scan.isDone = true;
          this.#scanRest(scan, result, signal);
          return result;
        },
        (error: Error) => {
          scan.isDone = true;
          throw error;
        },
      ),
    };
    // The failure is handled when the scan is consumed.
    scan.result.catch(() => {});
    return scan;
  }

  /** After an event, scans the rest of the range. */
  #scanRest(scan: PendingScan, { events, provenIndex = 0 }: Scan, signal: AbortSignal): void {
    const last = events.at(-1)?.node.modifiedIndex ?? 0;
    if (last <= provenIndex) return;
    this.#uncovered = Math.max(this.#uncovered, last + 1);
    const position = this.#scans.indexOf(scan) + 1;
    if (last >= scan.until) return;
    this.#scans.splice(position, 0, this.#startScan(last, true, scan.until, signal));
  }
}
