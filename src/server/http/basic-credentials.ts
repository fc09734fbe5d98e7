import { isUtf8 } from "node:buffer";

/** Contents of an `Authorization` header of the Basic scheme. */
export interface BasicCredentials {
  readonly user: string;
  /** The bytes as sent. */
  readonly password: Buffer;
}

const BASIC = /^basic /i;
const BASE64 = /^[a-z\d+/]*={0,2}$/i;

/** Parses the header as Go does; `undefined` if it is malformed or of another scheme. */
export function readBasicCredentials(header: string): BasicCredentials | undefined {
  if (!BASIC.test(header)) return undefined;
  const base64 = header.slice("basic ".length);
  if (base64.length % 4 !== 0 || !BASE64.test(base64)) return undefined;
  const bytes = Buffer.from(base64, "base64");
  const colon = bytes.indexOf(":");
  if (colon === -1) return undefined;
  const user = bytes.subarray(0, colon);
  return isUtf8(user) ? { user: user.toString(), password: bytes.subarray(colon + 1) } : undefined;
}
