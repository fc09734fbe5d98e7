import { randomBytes } from "node:crypto";

/** A random id of 64 bits, as etcd writes those of members and clusters: hexadecimal, not padded. */
export function randomId(): string {
  return randomBytes(8).readBigUInt64BE().toString(16);
}
