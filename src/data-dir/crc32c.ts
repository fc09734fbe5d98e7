/** Polynomial of CRC-32C (Castagnoli), reflected. `zlib.crc32` has another polynomial. */
const POLYNOMIAL = 0x82f63b78;

/** Tables for the eight bytes of one step, one after another. */
const TABLES = tables();

/** CRC-32C of bytes that follow bytes with the CRC `previous`. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    crc =
      table(7, byte(bytes, at) ^ (crc & 0xff)) ^
      table(6, byte(bytes, at + 1) ^ ((crc >>> 8) & 0xff)) ^
      table(5, byte(bytes, at + 2) ^ ((crc >>> 16) & 0xff)) ^
      table(4, byte(bytes, at + 3) ^ (crc >>> 24)) ^
      table(3, byte(bytes, at + 4)) ^
      table(2, byte(bytes, at + 5)) ^
      table(1, byte(bytes, at + 6)) ^
      table(0, byte(bytes, at + 7));
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ table(0, (crc ^ byte(bytes, at)) & 0xff);
  return ~crc >>> 0;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function table(number: number, index: number): number {
  return TABLES[number * 256 + index] ?? 0;
}

function tables(): Int32Array {
  const entries = new Int32Array(8 * 256);
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    entries[value] = crc;
  }
  for (let at = 256; at < entries.length; at++) {
    const before = entries[at - 256] ?? 0;
    entries[at] = (before >>> 8) ^ (entries[before & 0xff] ?? 0);
  }
  return entries;
}
