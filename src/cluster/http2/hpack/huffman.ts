import { HpackError } from "./hpack-error.js";

/**
 * Bits of the code of each byte, and at last of EOS (RFC 7541, appendix B). They define the code: it is canonical, so codes
 * ascend with their length, and those of one length with the byte.
 */
// biome-ignore format: rows of 16 as in the RFC's order
const CODE_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const EOS = 256;
const MAX_CODE_LENGTH = 30;
const MAX_PADDING_BITS = 7;

/** The codes of one length. */
interface Codes {
  readonly first: number;
  readonly symbols: readonly number[];
}

/** By length. */
const CODES: readonly Codes[] = canonicalCodes();

function canonicalCodes(): readonly Codes[] {
  const codes: Codes[] = [];
  let next = 0;
  for (let length = 0; length <= MAX_CODE_LENGTH; length++) {
    const symbols = [...CODE_LENGTHS.keys()].filter((symbol) => CODE_LENGTHS[symbol] === length);
    codes.push({ first: next, symbols });
    next = (next + symbols.length) * 2;
  }
  return codes;
}

/** Decodes a string, one character for each byte. @throws HpackError */
export function decodeHuffman(bytes: Buffer): string {
  // The shortest codes have 5 bits.
  const decoded = Buffer.allocUnsafe(Math.ceil((bytes.length * 8) / 5));
  let count = 0;
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      const symbol = symbolOf(code, length);
      if (symbol === undefined) continue;
      if (symbol === EOS) throw new HpackError("a Huffman code contains EOS");
      decoded[count++] = symbol;
      code = 0;
      length = 0;
    }
  }
  // The padding is the beginning of EOS: only ones.
  if (length > MAX_PADDING_BITS || code !== (1 << length) - 1) {
    throw new HpackError("the padding of a Huffman code is wrong");
  }
  return decoded.toString("latin1", 0, count);
}

function symbolOf(code: number, length: number): number | undefined {
  const codes = CODES[length];
  return codes?.symbols[code - codes.first];
}
