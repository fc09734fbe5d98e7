import { type Field, fieldSize } from "./field.js";
import { HpackError } from "./hpack-error.js";
import { decodeHuffman } from "./huffman.js";
import { STATIC_TABLE } from "./static-table.js";

/** Size of the table of the other side, in bytes, which nobody has changed: the default of SETTINGS_HEADER_TABLE_SIZE. */
const MAX_TABLE_SIZE = 4_096;
/** Larger integers are of no use here. So they cannot overflow. */
const MAX_INTEGER = 2 ** 28;

/** Decodes the header blocks of one connection, in their order (RFC 7541). */
export class HpackDecoder {
  readonly #maxListSize: number;
  /** The oldest field is the first. */
  readonly #table: Field[] = [];
  #tableSize = 0;
  #maxTableSize = MAX_TABLE_SIZE;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @param maxListSize of a block that was decoded, in bytes: a block can name a long field many times */
  constructor(maxListSize: number) {
    this.#maxListSize = maxListSize;
  }

  /** @throws HpackError */
  decode(block: Buffer): Field[] {
    const fields: Field[] = [];
    let listSize = 0;
    this.#block = block;
    this.#at = 0;
    while (this.#at < block.length) {
      const field = this.#next(fields.length === 0);
      if (field === undefined) continue;
      listSize += fieldSize(field);
      if (listSize > this.#maxListSize) throw new HpackError("the header list is too long");
      fields.push(field);
    }
    return fields;
  }

  /** The next field. `undefined` after a change of the table's size, which only the start of a block may have. */
  #next(isStart: boolean): Field | undefined {
    const first = this.#block[this.#at] ?? 0;
    if (first >= 0x80) return this.#field(this.#integer(0x7f));
    if (first >= 0x40) return this.#add(this.#literal(0x3f));
    if (first < 0x20) return this.#literal(0x0f);
    if (!isStart) throw new HpackError("the table's size changes within a header block");
    this.#maxTableSize = this.#integer(0x1f);
    if (this.#maxTableSize > MAX_TABLE_SIZE) throw new HpackError("the table is too large");
    this.#evict();
    return undefined;
  }

  #field(index: number): Field {
    const isStatic = index <= STATIC_TABLE.length;
    const field = isStatic
      ? STATIC_TABLE[index - 1]
      : this.#table[this.#table.length - (index - STATIC_TABLE.length)];
    if (field === undefined) throw new HpackError("a field has an unknown index");
    return field;
  }

  /** @param mask of the bits of the name's index */
  #literal(mask: number): Field {
    const index = this.#integer(mask);
    const name = index === 0 ? this.#string() : this.#field(index).name;
    return { name, value: this.#string() };
  }

  #add(field: Field): Field {
    this.#table.push(field);
    this.#tableSize += fieldSize(field);
    this.#evict();
    return field;
  }

  #evict(): void {
    while (this.#tableSize > this.#maxTableSize) {
      const oldest = this.#table.shift();
      if (oldest !== undefined) this.#tableSize -= fieldSize(oldest);
    }
  }

  #byte(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) throw new HpackError("a header block is cut off");
    return byte;
  }

  #integer(mask: number): number {
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (value > MAX_INTEGER || factor > MAX_INTEGER)
        throw new HpackError("a number is too large");
      if (byte < 0x80) return value;
    }
  }

  #string(): string {
    const isHuffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(0x7f);
    const end = this.#at + length;
    if (end > this.#block.length) throw new HpackError("a header block is cut off");
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return isHuffman ? decodeHuffman(bytes) : bytes.toString("latin1");
  }
}
