import { ByteWriter } from "../../../stream/byte-writer.js";
import { fieldSize } from "./field.js";
import { STATIC_TABLE } from "./static-table.js";

/** Size of the table in bytes, unless the server wants a smaller one. */
const MAX_TABLE_SIZE = 4_096;

/**
 * How a field is written. Only an `indexed` one gets into the table: one that most requests have. A `secret` one gets into no
 * table of a proxy either.
 */
export type FieldForm = "indexed" | "literal" | "secret";

/** Bits of the first byte, and the mask of the index behind them (RFC 7541, section 6.2). */
const FORMS: Readonly<Record<FieldForm, readonly [bits: number, mask: number]>> = {
  indexed: [0x40, 0x3f],
  literal: [0x00, 0x0f],
  secret: [0x10, 0x0f],
};

/** Indexes in the static table, by name, then by value. */
const STATIC_INDEXES = new Map<string, Map<string, number>>();
for (const [at, { name, value }] of STATIC_TABLE.entries()) {
  const values = STATIC_INDEXES.get(name) ?? new Map<string, number>();
  STATIC_INDEXES.set(name, values.set(value, at + 1));
}

/**
 * Encodes the header blocks of one connection (RFC 7541), without Huffman codes. A field of the table stays there: once the
 * table is full, further fields are literals.
 */
export class HpackEncoder {
  readonly #out = new ByteWriter();
  /** Numbers of the fields in the table, in the order in which they were added, by name, then by value. */
  readonly #numbers = new Map<string, Map<string, number>>();
  #count = 0;
  #size = 0;
  #maxSize = MAX_TABLE_SIZE;
  #isResized = false;

  /** The server has announced the size of its table in bytes. */
  resize(size: number): void {
    const maxSize = Math.min(size, MAX_TABLE_SIZE);
    if (maxSize === this.#maxSize) return;
    this.#maxSize = maxSize;
    this.#numbers.clear();
    this.#count = 0;
    this.#size = 0;
    this.#isResized = true;
  }

  /** @param name in lower case */
  add(name: string, value: string, form: FieldForm): void {
    if (this.#isResized) this.#announceSize();
    const statics = STATIC_INDEXES.get(name);
    const index = statics?.get(value) ?? this.#indexOf(name, value);
    if (index !== undefined) {
      this.#integer(0x80, 0x7f, index);
      return;
    }
    const isIndexed =
      form === "indexed" && this.#size + fieldSize({ name, value }) <= this.#maxSize;
    const [bits, mask] = FORMS[form === "indexed" && !isIndexed ? "literal" : form];
    const [nameIndex = 0] = statics?.values() ?? [];
    this.#integer(bits, mask, nameIndex);
    if (nameIndex === 0) this.#string(name);
    this.#string(value);
    if (isIndexed) this.#remember(name, value);
  }

  /** Removes what was encoded. */
  take(): Buffer {
    return this.#out.take();
  }

  #indexOf(name: string, value: string): number | undefined {
    const number = this.#numbers.get(name)?.get(value);
    return number === undefined ? undefined : STATIC_TABLE.length + this.#count - number;
  }

  #remember(name: string, value: string): void {
    const values = this.#numbers.get(name) ?? new Map<string, number>();
    this.#numbers.set(name, values.set(value, this.#count++));
    this.#size += fieldSize({ name, value });
  }

  #announceSize(): void {
    this.#isResized = false;
    // Nothing first: the server may still have fields.
    this.#integer(0x20, 0x1f, 0);
    this.#integer(0x20, 0x1f, this.#maxSize);
  }

  #integer(bits: number, mask: number, value: number): void {
    if (value < mask) {
      this.#out.uint8(bits | value);
      return;
    }
    this.#out.uint8(bits | mask);
    let rest = value - mask;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#out.uint8((rest & 0x7f) | 0x80);
    this.#out.uint8(rest);
  }

  #string(text: string): void {
    this.#integer(0, 0x7f, text.length);
    this.#out.latin1(text);
  }
}
