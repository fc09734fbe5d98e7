const EMPTY = Buffer.alloc(0);

/**
 * A FIFO of bytes in one block of memory. The block is at most twice as large as its content was. A
 * list of chunks would need several hundred bytes for each chunk, even if a chunk is one byte.
 */
export class ByteQueue {
  #block: Buffer = EMPTY;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** Size of the block in bytes. */
  get capacity(): number {
    return this.#block.length;
  }

  /** Adds a chunk. An empty queue keeps it without a copy, so the caller must not change it. */
  push(chunk: Buffer): void {
    if (this.length === 0) {
      this.#block = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    if (this.#end + chunk.length > this.#block.length) this.#grow(this.length + chunk.length);
    chunk.copy(this.#block, this.#end);
    this.#end += chunk.length;
  }

  /** Position of the first `byte` at or after `from`; −1 if there is none. */
  indexOf(byte: number, from: number): number {
    return this.#block.subarray(this.#start, this.#end).indexOf(byte, from);
  }

  /** Returns the first bytes without removing them. */
  peek(count: number): Buffer {
    return this.#block.subarray(this.#start, Math.min(this.#start + count, this.#end));
  }

  /** Removes and returns the first bytes. @param count default: all */
  take(count = this.length): Buffer {
    const taken = this.peek(count);
    this.#start += taken.length;
    // Releases the block of an empty queue.
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
