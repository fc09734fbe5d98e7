/** Leading zeros, then up to 16 digits. */
const HEX = /^0*([1-9a-f][\da-f]{0,15}|0)$/i;

/** Normalizes a member's ID: lower-case, not padded. `undefined` if the text is not an ID. */
export function readMemberId(text: string): string | undefined {
  return HEX.exec(text)?.[1]?.toLowerCase();
}
