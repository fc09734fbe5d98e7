/**
 * Whether a text contains U+FFFD. etcd v2 shows it in place of bytes that are not UTF-8, so the
 * original bytes may be different.
 */
export function isReplaced(text: string): boolean {
  return text.includes("\ufffd");
}
