import { ProtocolError } from "../../errors/cluster-errors.js";

/** How a field is written, as its tag tells. */
export const VARINT = 0;
export const SIZED = 2;
const FIXED_64 = 1;
const FIXED_32 = 5;

/** Groups of seven bits that a number can hold. */
const SAFE_GROUPS = 7;

/** Reads the bytes of a message one after the other. @throws ProtocolError where they end too soon */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Position of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** A number of 64 bits, taken as unsigned. */
  varint(): number | bigint {
    let value = 0;
    let factor = 1;
    for (let group = 0; group < SAFE_GROUPS; group++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    return this.#rest(BigInt(value));
  }

  /** A tag, a flag, a value of an enum. */
  small(): number {
    return Number(this.varint());
  }

  /** Where what comes next ends, whose length is written before it. */
  end(): number {
    const length = this.small();
    if (length > this.#bytes.length - this.#at) throw cutOff();
    return this.#at + length;
  }

  /** Bytes with their length before them, as text. */
  text(encoding: "utf8" | "base64"): string {
    const end = this.end();
    const text = this.#bytes.toString(encoding, this.#at, end);
    this.#at = end;
    return text;
  }

  /** Passes a field that nobody asks for. */
  skip(wireType: number): void {
    if (wireType === VARINT) this.varint();
    else if (wireType === SIZED) this.#at = this.end();
    else if (wireType === FIXED_64) this.#at += 8;
    else if (wireType === FIXED_32) this.#at += 4;
    else throw new ProtocolError(`the message has a field of the unknown wire type ${wireType}`);
  }

  #rest(low: bigint): bigint {
    let value = low;
    for (let shift = BigInt(SAFE_GROUPS * 7); shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ProtocolError("the message has a number of more than 64 bits");
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw cutOff();
    return byte;
  }
}

function cutOff(): ProtocolError {
  return new ProtocolError("the message ends in the middle of a field");
}
