/** A header field of HTTP/2. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

/** Size of a field in a table and in a list, in bytes (RFC 7541, section 4.1). */
export function fieldSize({ name, value }: Field): number {
  return name.length + value.length + 32;
}
