/** Bytes that nearly every message fits into. */
const USUAL = 64 * 1024;

/** Taken over from one message to the next: a message is written without a pause. */
let scratch = Buffer.allocUnsafeSlow(USUAL);

/**
 * Writes the bytes of a message from the last to the first: so the length of what is nested, which
 * comes before it, is known when it is written.
 */
export class BackwardWriter {
  #start = scratch.length;

  /** Bytes written so far. */
  get length(): number {
    return scratch.length - this.#start;
  }

  /** A safe integer, from 0 on. */
  varint(value: number): void {
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
    let at = this.#reserve(length);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) scratch[at++] = (rest & 0x7f) | 0x80;
    scratch[at] = rest;
  }

  /** A number of 64 bits, which may be negative. */
  varint64(value: bigint): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    const start = this.#reserve(bytes.length);
    scratch.set(bytes, start);
  }

  /** The bytes of a text; of base64, those that it stands for. */
  text(text: string, encoding: "utf8" | "base64"): void {
    const length = Buffer.byteLength(text, encoding);
    const start = this.#reserve(length);
    scratch.write(text, start, length, encoding);
  }

  /** What was written, as bytes of its own. */
  take(): Buffer {
    const bytes = Buffer.from(scratch.subarray(this.#start));
    if (scratch.length > USUAL) scratch = Buffer.allocUnsafeSlow(USUAL);
    return bytes;
  }

  /** Makes room before what was written. @returns where that begins */
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
