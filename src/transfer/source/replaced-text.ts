/**
 * Whether a text holds U+FFFD. etcd v2 shows it in place of bytes that are not UTF-8, so such a text
 * may stand for other bytes.
 */
export function isReplaced(text: string): boolean {
  return text.includes("\ufffd");
}
