import { goTime } from "../../go/time.js";

/** What an answer tells of a TTL. */
export interface Expiry {
  readonly expiration?: string;
  readonly ttl?: number;
}

/**
 * `expiration` and `ttl` of a node that expires at a moment, in milliseconds since 1970, in the
 * form and with the rounding of etcd's; nothing for a node that does not.
 */
export function expiryOf(expiration: number | undefined, now: number): Expiry {
  if (expiration === undefined) return {};
  const text = goTime(expiration);
  const ttl = Math.ceil((expiration - now) / 1000);
  return ttl === 0 ? { expiration: text } : { expiration: text, ttl };
}
