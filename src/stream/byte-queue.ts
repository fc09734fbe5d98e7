const EMPTY = Buffer.alloc(0);

/**
 * Bytes that arrive in pieces and are taken in other pieces. They lie in one block of memory, at most
 * twice as large as what was held: a list of pieces would cost several hundred bytes for each piece of
 * one byte.
 */
export class ByteQueue {
  #block: Buffer = EMPTY;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** Bytes of the block, used or not. */
  get capacity(): number {
    return this.#block.length;
  }

  /** Adds a piece. An empty queue keeps it without a copy, so its bytes must not change afterwards. */
  push(piece: Buffer): void {
    if (this.length === 0) {
      this.#block = piece;
      this.#start = 0;
      this.#end = piece.length;
      return;
    }
    if (this.#end + piece.length > this.#block.length) this.#grow(this.length + piece.length);
    piece.copy(this.#block, this.#end);
    this.#end += piece.length;
  }

  /** Position of the first such byte, at or after another position; −1 if there is none. */
  indexOf(byte: number, from: number): number {
    return this.#block.subarray(this.#start, this.#end).indexOf(byte, from);
  }

  /** The first bytes, which stay in the queue. */
  peek(count: number): Buffer {
    return this.#block.subarray(this.#start, Math.min(this.#start + count, this.#end));
  }

  /** Removes and returns the first bytes, all of them by default. */
  take(count = this.length): Buffer {
    const taken = this.peek(count);
    this.#start += taken.length;
    // An empty queue holds on to no memory.
    if (this.length === 0) this.clear();
    return taken;
  }

  clear(): void {
    this.#block = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }

  #grow(length: number): void {
    const block = Buffer.allocUnsafeSlow(2 * length);
    this.#end = this.#block.copy(block, 0, this.#start, this.#end);
    this.#start = 0;
    this.#block = block;
  }
}
