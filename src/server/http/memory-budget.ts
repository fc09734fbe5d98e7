import { monotonicNow } from "../../time/event-loop.js";
/** Smaller amounts are not counted: each connection costs about as much anyway. */
export const FREE_BYTES = 16 * 1024;

/** Without progress for so long, a client counts as stalled. */
const STALL_MS = 1_000;

/**
 * Bounds the memory of a server for requests that are arriving and responses that are not read yet. Above
 * half of the limit, it drops the largest items of clients that have stalled for a second; at the limit,
 * the largest items of all clients. So small requests are served however much other clients send or
 * leave unread.
 */
export class MemoryBudget {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #counted = new Set<HeldBytes>();
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

  /** Registers memory for one client. `end` is called once if it is dropped to free memory. */
  hold(end: () => void): HeldBytes {
    return new HeldBytes((held, bytes) => this.#count(held, bytes), end);
  }

  #count(held: HeldBytes, bytes: number): void {
    const before = held.bytes;
    held.bytes = bytes < FREE_BYTES ? 0 : bytes;
    held.movedAt = this.#now();
    this.#total += held.bytes - before;
    if (held.bytes === 0) this.#counted.delete(held);
    else this.#counted.add(held);
    if (held.bytes > before) this.#makeRoom();
  }

  #makeRoom(): void {
    const stalledBefore = this.#now() - STALL_MS;
    while (this.#total > this.#limit / 2 && this.#endLargest(stalledBefore));
    while (this.#total > this.#limit && this.#endLargest());
  }

  /** Drops the largest item without progress since `movedBefore`. Returns false if there is none. */
  #endLargest(movedBefore = Number.POSITIVE_INFINITY): boolean {
    let largest: HeldBytes | undefined;
    for (const held of this.#counted) {
      if (held.end === undefined || held.movedAt > movedBefore) continue;
      if (largest === undefined || held.bytes > largest.bytes) largest = held;
    }
    if (largest === undefined) return false;
    const { end } = largest;
    largest.release();
    end?.();
    return true;
  }
}

/** Memory held for one client. */
export class HeldBytes {
  readonly #count: (held: this, bytes: number) => void;
  #isReleased = false;
  /** Drops the item; undefined if it must not be dropped. */
  end: (() => void) | undefined;
  /** Bytes counted. Only the budget sets it. */
  bytes = 0;
  /** Time of the last progress, in milliseconds. Only the budget sets it. */
  movedAt = 0;

  constructor(count: (held: HeldBytes, bytes: number) => void, end: () => void) {
    this.#count = count;
    this.end = end;
  }

  /** Sets the bytes held now, and counts as progress. May drop this item or others. */
  set(bytes: number): void {
    if (this.#isReleased) return;
    if (bytes >= FREE_BYTES || this.bytes > 0) this.#count(this, bytes);
  }

  /** The item is in use from now on: it must not be dropped. */
  keep(): void {
    this.end = undefined;
  }

  /** The item is over: nothing is counted for it any more. */
  release(): void {
    this.set(0);
    this.end = undefined;
    this.#isReleased = true;
  }
}
