/** Size of a block: about a thousand requests. */
const BLOCK_BYTES = 32 * 1024;

/** Collects bytes, so that many small parts leave in one system call. */
export class ByteWriter {
  #block: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** Bytes that were not taken. */
  get length(): number {
    return this.#end - this.#start;
  }

  uint8(value: number): void {
    this.#reserve(1);
    this.#block[this.#end++] = value;
  }

  uint24(value: number): void {
    this.#reserve(3);
    this.#end = this.#block.writeUIntBE(value, this.#end, 3);
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#end = this.#block.writeUInt32BE(value, this.#end);
  }

  /** One byte for each character. */
  latin1(text: string): void {
    this.#reserve(text.length);
    this.#end += this.#block.write(text, this.#end, "latin1");
  }

  bytes(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#end += bytes.copy(this.#block, this.#end);
  }

  /** Removes all bytes. They do not change any more. */
  take(): Buffer {
    const taken = this.#block.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return taken;
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#block.length) return;
    const { length } = this;
    const block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, 2 * (length + count)));
    this.#block.copy(block, 0, this.#start, this.#end);
    this.#block = block;
    this.#start = 0;
    this.#end = length;
  }
}
