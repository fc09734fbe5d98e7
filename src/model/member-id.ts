const HEX = /^[\da-f]+$/i;

/** A member's id as etcd writes it: lower-case, not padded; nothing for a text that is no id. */
export function readMemberId(text: string): string | undefined {
  if (!HEX.test(text)) return undefined;
  const id = text.toLowerCase().replace(/^0+(?=.)/, "");
  return id.length > 16 ? undefined : id;
}
