/** An index of the store, and the moment (monotonic) before which it was asked for. */
interface Reading {
  readonly index: number;
  readonly askedAt: number;
}

/** How current a watch is: the moment before which every change that was committed was taken. */
export class Currency {
  #provenAt: number | undefined;
  /** Linearizable readings that the watch has not reached yet: the first one, and the latest. */
  #first: Reading | undefined;
  #latest: Reading | undefined;

  /** Monotonic milliseconds; `undefined` before the first proof. */
  get provenAt(): number | undefined {
    return this.#provenAt;
  }

  /** Takes note of a linearizable reading. What was committed before it was asked for is in its index. */
  note(index: number, askedAt: number): void {
    this.#latest = { index, askedAt };
    this.#first ??= this.#latest;
  }

  /** Takes note of the index up to which everything was taken. */
  reach(index: number): void {
    for (const reading of [this.#first, this.#latest]) {
      if (reading !== undefined && reading.index <= index) this.#provenAt = reading.askedAt;
    }
    if (this.#latest !== undefined && this.#latest.index <= index) this.#latest = undefined;
    if (this.#first !== undefined && this.#first.index <= index) this.#first = this.#latest;
  }

  /** Forgets readings that mean nothing any more, as those of another cluster. */
  forgetReadings(): void {
    this.#first = undefined;
    this.#latest = undefined;
  }
}
