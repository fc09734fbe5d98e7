/** Nearly every message fits into this. */
const SCRATCH_BYTES = 64 * 1024;

/** Reused for all messages: each is written synchronously. */
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/**
 * Writes a message from its last byte to its first. So the length of a nested message, which
 * precedes it, is known when it is written.
 */
export class BackwardWriter {
  #start = scratch.length;

  /** Bytes written so far. */
  get length(): number {
    return scratch.length - this.#start;
  }

  /** Writes a safe integer that is not negative. */
  varint(value: number): void {
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
    let at = this.#reserve(length);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) scratch[at++] = (rest & 0x7f) | 0x80;
    scratch[at] = rest;
  }

  /** Writes a 64-bit number, which may be negative. */
  varint64(value: bigint): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    const start = this.#reserve(bytes.length);
    scratch.set(bytes, start);
  }

  /** Writes text as UTF-8. */
  text(text: string): void {
    const length = Buffer.byteLength(text);
    const start = this.#reserve(length);
    scratch.write(text, start, length);
  }

  bytes(bytes: Uint8Array): void {
    const start = this.#reserve(bytes.length);
    scratch.set(bytes, start);
  }

  /** Returns a copy of the written bytes. */
  take(): Buffer {
    const bytes = Buffer.from(scratch.subarray(this.#start));
    if (scratch.length > SCRATCH_BYTES) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    return bytes;
  }

  /** Reserves bytes before the written ones. @returns their position */
  #reserve(length: number): number {
    if (length > this.#start) {
      const larger = Buffer.allocUnsafeSlow(2 * (scratch.length + length));
      scratch.copy(larger, larger.length - this.length, this.#start);
      this.#start = larger.length - this.length;
      scratch = larger;
    }
    this.#start -= length;
    return this.#start;
  }
}
