/** Digits without leading zeros, at most 16 of them. */
const HEX = /^0*([1-9a-f][\da-f]{0,15}|0)$/i;

/** A member's ID as etcd writes it, lower-case and not padded; `undefined` if the text is not one. */
export function readMemberId(text: string): string | undefined {
  return HEX.exec(text)?.[1]?.toLowerCase();
}
