/** Converts a decimal 64-bit id to hexadecimal, without padding, as etcdctl shows it. */
export function toHexId(decimal: string): string {
  return BigInt.asUintN(64, BigInt(decimal)).toString(16);
}

/** Converts a hexadecimal id to decimal. */
export function toDecimalId(hex: string): string {
  return BigInt(`0x${hex}`).toString();
}
