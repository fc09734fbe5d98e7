/** Base64 of bytes or of UTF-8 text, as in the messages of etcd's JSON gateway. */
export function toBase64(text: string | Uint8Array): string {
  return Buffer.from(text).toString("base64");
}

export function fromBase64(base64: unknown): string {
  return Buffer.from(String(base64 ?? ""), "base64").toString();
}
