/** What holds fewer bytes is not counted: a connection costs about as much in any case. */
export const FREE_BYTES = 16 * 1024;

/** Milliseconds without progress after which a client may lose what is held for it. */
const STALL_MS = 1_000;

/**
 * The memory that a server may hold for its clients: requests that arrive and answers that leave.
 * From half of the limit on, room is made at the expense of clients that have stalled for a second;
 * at the limit, at the expense of whoever holds most. So small requests pass however much others
 * send, or leave unread.
 */
export class MemoryBudget {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #counted = new Set<HeldBytes>();
  #total = 0;

  /** `limit` in bytes; `now` tells milliseconds. */
  constructor(limit: number, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Bytes that are held now. */
  get total(): number {
    return this.#total;
  }

  /** Something that grows and shrinks for one client. `end` is called once to make room for others. */
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

  /** Of those that made no progress since a moment. Tells whether there was one. */
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

/** Bytes that are held for one client. */
export class HeldBytes {
  readonly #count: (held: this, bytes: number) => void;
  #isReleased = false;
  /** Gives up what is held. */
  end: (() => void) | undefined;
  /** As far as they are counted; the budget's own. */
  bytes = 0;
  /** When there was progress last, in milliseconds; the budget's own. */
  movedAt = 0;

  constructor(count: (held: HeldBytes, bytes: number) => void, end: () => void) {
    this.#count = count;
    this.end = end;
  }

  /** Tells how many bytes are held now, which is progress. May give up this one. */
  set(bytes: number): void {
    if (this.#isReleased) return;
    if (bytes >= FREE_BYTES || this.bytes > 0) this.#count(this, bytes);
  }

  /** What is held is in use from now on: it is not given up for others. */
  keep(): void {
    this.end = undefined;
  }

  /** Nothing is held any more, nor will be. */
  release(): void {
    this.set(0);
    this.end = undefined;
    this.#isReleased = true;
  }
}
