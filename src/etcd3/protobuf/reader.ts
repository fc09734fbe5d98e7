import { ProtocolError } from "../../errors/cluster-errors.js";

/** Wire types, from the tag of a field. */
export const VARINT = 0;
export const SIZED = 2;
const FIXED_64 = 1;
const FIXED_32 = 5;

/** Weight of the bits above four groups of seven. */
const TWO_28 = 2 ** 28;

/** Reads a message byte by byte. @throws ProtocolError if the message ends too early */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  /** Whether the current number has more groups. */
  #hasMore = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Position of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Reads an unsigned 64-bit number. */
  varint(): number | bigint {
    const first = this.#bytes[this.#at] ?? 0x80;
    // Most numbers have a single byte.
    if (first < 0x80) {
      this.#at++;
      return first;
    }
    const low = this.#readGroups();
    if (!this.#hasMore) return low;
    const middle = this.#readGroups();
    const number = middle * TWO_28 + low;
    if (!this.#hasMore && number <= Number.MAX_SAFE_INTEGER) return number;
    const high = this.#hasMore ? this.#readGroups() : 0;
    if (this.#hasMore || high > 0xff) {
      throw new ProtocolError("the message has a number with more than 64 bits");
    }
    return (BigInt(high * TWO_28 + middle) << 28n) | BigInt(low);
  }

  /** Reads a tag, a flag or an enum value. */
  smallNumber(): number {
    return Number(this.varint());
  }

  /** Reads a length. @returns the end position of the data that follows */
  endOfNext(): number {
    const length = this.smallNumber();
    if (length > this.#bytes.length - this.#at) throw truncated();
    return this.#at + length;
  }

  /** Reads text with a length prefix. */
  text(): string {
    const end = this.endOfNext();
    const text = this.#bytes.toString("utf8", this.#at, end);
    this.#at = end;
    return text;
  }

  /**
   * Reads bytes with a length prefix. Returns a copy, because a part of the message would keep the
   * complete message in memory.
   */
  bytes(): Buffer {
    const end = this.endOfNext();
    const bytes = Buffer.from(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return bytes;
  }

  /** Skips an unknown field. */
  skip(wireType: number): void {
    if (wireType === VARINT) this.varint();
    else if (wireType === SIZED) this.#at = this.endOfNext();
    else if (wireType === FIXED_64) this.#at += 8;
    else if (wireType === FIXED_32) this.#at += 4;
    else throw new ProtocolError(`the message has a field of the unknown wire type ${wireType}`);
  }

  /** Reads up to four groups of seven bits, the lowest first. */
  #readGroups(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#readByte();
      value |= (byte & 0x7f) << shift;
      this.#hasMore = byte >= 0x80;
      if (!this.#hasMore) break;
    }
    return value;
  }

  #readByte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw truncated();
    return byte;
  }
}

function truncated(): ProtocolError {
  return new ProtocolError("the message ends in the middle of a field");
}
