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
const NOT_NEEDED = new Error("the result of the scan is not needed");

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
 * Fetches from history the changes between the resume point and an index. One scan returns one event, and a busy
 * store discards history faster than sequential scans can read it. So several index ranges are scanned in parallel.
 */
export class HistoryBackfill {
  readonly #target: BackfillTarget;
  readonly #index: number;
  readonly #closing = new AbortController();

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
    while (this.#target.resumePoint.isPending(this.#index)) {
      const scanning = linkSignals(signal, this.#closing.signal);
      try {
        const scans = new ParallelScans(this.#target, this.#index, scanning.signal);
        if (!(await scans.take())) return false;
      } finally {
        scanning.abort(NOT_NEEDED);
      }
    }
    return true;
  }

  /** Aborts the running scans. */
  close(): void {
    this.#closing.abort(NOT_NEEDED);
  }
}

/** Scans of adjacent ranges, which are consumed in order. */
class ParallelScans {
  readonly #target: BackfillTarget;
  readonly #index: number;
  readonly #signal: AbortSignal;
  /** Ordered by start index. */
  readonly #scans: PendingScan[] = [];
  /** First index that no scan covers. */
  #uncovered = 0;
  /**
   * Number of parallel scans. Grows while scans find events, so that many quiet watches send few
   * scans.
   */
  #parallelScans = 1;

  constructor(target: BackfillTarget, index: number, signal: AbortSignal) {
    this.#target = target;
    this.#index = index;
    this.#signal = signal;
  }

  /**
   * Takes results up to the index, or until one does not reach the start of the next one, because its member is
   * behind. To go on would start a scan for every few indexes that the member has not reached, which may be a million.
   *
   * @returns `false`: a scan gave no proof
   */
  async take(): Promise<boolean> {
    const { resumePoint } = this.#target;
    while (resumePoint.isPending(this.#index)) {
      const [next] = this.#scans;
      if (next !== undefined && !resumePoint.isFollowedBy(next)) return true;
      this.#startScans();
      const scan = this.#scans.shift();
      if (scan !== undefined && !(await this.#takeScan(scan))) return false;
    }
    return true;
  }

  /** @returns `false`: it gave no proof */
  async #takeScan(scan: PendingScan): Promise<boolean> {
    const before = this.#target.resumePoint.next;
    try {
      const result = await scan.result;
      if (result.provenIndex === undefined) return this.#isPassed(scan);
      this.#target.takeScan(result);
      await this.#adapt(result, before);
      return true;
    } catch (error) {
      // The stream has delivered this range.
      if (this.#isPassed(scan)) return true;
      throw error;
    }
  }

  /** Scans more in parallel after an event; waits when the member is behind. */
  async #adapt({ events, provenIndex = 0 }: Scan, before: number): Promise<void> {
    const last = events.at(-1)?.node.modifiedIndex ?? 0;
    if (last > provenIndex)
      this.#parallelScans = Math.min(2 * this.#parallelScans, MAX_PARALLEL_SCANS);
    else if (this.#target.resumePoint.next === before) {
      await sleep(LAG_DELAY_MS, this.#target.clock, this.#signal);
    }
  }

  #isPassed({ until }: PendingScan): boolean {
    return !this.#target.resumePoint.isPending(until);
  }

  #startScans(): void {
    const { next, since = 0, isPartial } = this.#target.resumePoint;
    if (this.#scans.length === 0) {
      this.#uncovered = next;
      this.#scans.push(this.#startScan(since, isPartial, this.#nextRange()));
    }
    let running = this.#scans.filter(({ isDone }) => !isDone).length;
    for (; running < this.#parallelScans && this.#uncovered <= this.#index; running++) {
      const since = this.#uncovered;
      this.#scans.push(this.#startScan(since, false, this.#nextRange()));
    }
  }

  /** @returns the last index of the range */
  #nextRange(): number {
    this.#uncovered += RANGE_SIZE;
    return this.#uncovered - 1;
  }

  #startScan(since: number, partial: boolean, until: number): PendingScan {
    const scan: PendingScan = {
      since,
      partial,
      until,
      isDone: false,
      result: this.#target.scan({ since, partial }, this.#signal).then(
        (result) => {
          scan.isDone = true;
          this.#scanRest(scan, result);
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

  /** Leaves out what the scan has proven. After an event, scans the rest of the range. */
  #scanRest(scan: PendingScan, { events, provenIndex = 0 }: Scan): void {
    const last = events.at(-1)?.node.modifiedIndex ?? 0;
    this.#uncovered = Math.max(this.#uncovered, Math.max(last, provenIndex) + 1);
    if (last <= provenIndex || last >= scan.until || this.#signal.aborted) return;
    const position = this.#scans.indexOf(scan) + 1;
    this.#scans.splice(position, 0, this.#startScan(last, true, scan.until));
  }
}
