import { ProtocolError } from "../../errors/cluster-errors.js";

/** How a field is written, as its tag tells. */
export const VARINT = 0;
export const SIZED = 2;
const FIXED_64 = 1;
const FIXED_32 = 5;

/** What is above four groups of seven bits counts so much. */
const TWO_28 = 2 ** 28;

/** Reads the bytes of a message one after the other. @throws ProtocolError where they end too soon */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  /** Whether the number that is being read has more groups. */
  #goesOn = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Position of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** A number of 64 bits, taken as unsigned. */
  varint(): number | bigint {
    const low = this.#groups();
    if (!this.#goesOn) return low;
    const middle = this.#groups();
    const number = middle * TWO_28 + low;
    if (!this.#goesOn && number <= Number.MAX_SAFE_INTEGER) return number;
    const high = this.#goesOn ? this.#groups() : 0;
    if (this.#goesOn || high > 0xff) {
      throw new ProtocolError("the message has a number of more than 64 bits");
    }
    return (BigInt(high * TWO_28 + middle) << 28n) | BigInt(low);
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

  /** Up to four groups of seven bits, the lowest first. */
  #groups(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      this.#goesOn = byte >= 0x80;
      if (!this.#goesOn) break;
    }
    return value;
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
