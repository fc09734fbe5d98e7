import { goTime } from "../../go/time.js";

/** The TTL fields of a response. */
export interface Expiry {
  readonly expiration?: string;
  readonly ttl?: number;
}

/**
 * `expiration` and `ttl` of a node, in etcd's format and rounding; empty for a node without a TTL.
 * Times are in milliseconds since 1970.
 */
export function expiryOf(expiration: number | undefined, now: number): Expiry {
  if (expiration === undefined) return {};
  const text = goTime(expiration);
  const ttl = Math.ceil((expiration - now) / 1000);
  return ttl === 0 ? { expiration: text } : { expiration: text, ttl };
}
