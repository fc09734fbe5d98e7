import { monotonicNow } from "../../time/event-loop.js";

/** Smaller amounts are not counted, because each connection needs about as much. */
export const MIN_COUNTED_BYTES = 16 * 1024;

/** Time without progress after which a client counts as stalled. */
const STALL_MS = 1_000;

/**
 * Bounds the memory of a server for requests that are arriving and responses that are not read yet. Above
 * half of the limit, it drops the largest reservations of clients that have stalled for a second. At the
 * limit, it drops the largest reservations of any client. So small requests are served even if other
 * clients send much or read nothing.
 */
export class MemoryBudget {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #counted = new Set<MemoryReservation>();
  #total = 0;

  /** `limit` is in bytes; `now` returns milliseconds. */
  constructor(limit: number, now: () => number = monotonicNow) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Bytes counted at present. */
  get total(): number {
    return this.#total;
  }

  /** Reserves memory for one client. `drop` is called at most once, to free the memory. */
  reserve(drop: () => void): MemoryReservation {
    return new MemoryReservation((reservation, bytes) => this.#count(reservation, bytes), drop);
  }

  #count(reservation: MemoryReservation, bytes: number): void {
    const before = reservation.bytes;
    reservation.bytes = bytes < MIN_COUNTED_BYTES ? 0 : bytes;
    reservation.progressAt = this.#now();
    this.#total += reservation.bytes - before;
    if (reservation.bytes === 0) this.#counted.delete(reservation);
    else this.#counted.add(reservation);
    if (reservation.bytes > before) this.#makeRoom();
  }

  #makeRoom(): void {
    const stalledBefore = this.#now() - STALL_MS;
    while (this.#total > this.#limit / 2 && this.#dropLargest(stalledBefore));
    while (this.#total > this.#limit && this.#dropLargest());
  }

  /** Drops the largest reservation without progress since a time. Returns `false` if it finds none. */
  #dropLargest(noProgressSince = Number.POSITIVE_INFINITY): boolean {
    let largest: MemoryReservation | undefined;
    for (const reservation of this.#counted) {
      if (reservation.drop === undefined || reservation.progressAt > noProgressSince) continue;
      if (largest === undefined || reservation.bytes > largest.bytes) largest = reservation;
    }
    if (largest === undefined) return false;
    const { drop } = largest;
    largest.release();
    drop?.();
    return true;
  }
}

/** The memory that is reserved for one client. */
export class MemoryReservation {
  readonly #count: (reservation: this, bytes: number) => void;
  #isReleased = false;
  /** Frees the memory; `undefined` if the reservation must not be dropped. */
  drop: (() => void) | undefined;
  /** Bytes counted. Only the budget sets it. */
  bytes = 0;
  /** Time of the last progress, in milliseconds. Only the budget sets it. */
  progressAt = 0;

  constructor(count: (reservation: MemoryReservation, bytes: number) => void, drop: () => void) {
    this.#count = count;
    this.drop = drop;
  }

  /** Sets the reserved bytes, and counts as progress. May drop this reservation or others. */
  set(bytes: number): void {
    if (this.#isReleased) return;
    if (bytes >= MIN_COUNTED_BYTES || this.bytes > 0) this.#count(this, bytes);
  }

  /** From now on, the reservation must not be dropped. */
  keep(): void {
    this.drop = undefined;
  }

  /** Ends the reservation. From now on, nothing is counted for it. */
  release(): void {
    this.set(0);
    this.drop = undefined;
    this.#isReleased = true;
  }
}
