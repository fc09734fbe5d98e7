/** A store index from a linearizable read, and the monotonic time when the read was sent. */
interface Reading {
  readonly index: number;
  readonly requestedAt: number;
}

/**
 * Tracks how current a watch is: every change that was committed before `provenAt` was received.
 */
export class Freshness {
  #provenAt: number | undefined;
  /** Linearizable reads that the watch has not caught up with: the first and the latest. */
  #first: Reading | undefined;
  #latest: Reading | undefined;

  /** Monotonic milliseconds; `undefined` before the first proof. */
  get provenAt(): number | undefined {
    return this.#provenAt;
  }

  /**
   * Records a linearizable read. Its index covers everything that was committed before it was sent.
   */
  recordRead(index: number, requestedAt: number): void {
    this.#latest = { index, requestedAt };
    this.#first ??= this.#latest;
  }

  /** Records that all changes up to this index were received. */
  advanceTo(index: number): void {
    for (const reading of [this.#first, this.#latest]) {
      if (reading !== undefined && reading.index <= index) this.#provenAt = reading.requestedAt;
    }
    if (this.#latest !== undefined && this.#latest.index <= index) this.#latest = undefined;
    if (this.#first !== undefined && this.#first.index <= index) this.#first = this.#latest;
  }

  /** Forgets reads that are no longer valid, for example those of another cluster. */
  forgetReads(): void {
    this.#first = undefined;
    this.#latest = undefined;
  }
}
