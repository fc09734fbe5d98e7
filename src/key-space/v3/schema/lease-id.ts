import { NO_LEASE } from "../../../etcd3/transaction.js";

/** The content of the ID of an own lease. */
export interface LeaseIdContent {
  /** Milliseconds since 1970. */
  readonly expiration: number;
  /** Whether the TTL is a directory's. Nodes attached to it may have a longer TTL of their own. */
  readonly directory: boolean;
}

/** The upper 15 bits of own IDs, `et`. IDs that etcd chooses start with a member's bits. */
const TAG = 0x6574n;
const EPOCH = Date.UTC(2020, 0, 1);
const EXPIRATION_BITS = 42n;
const COUNTER_BITS = 5n;
const COUNTERS = 2 ** Number(COUNTER_BITS);

/** Greatest time that an ID can encode, in the year 2159. */
export const LAST_EXPIRATION = EPOCH + 2 ** Number(EXPIRATION_BITS) - 1;

/**
 * The nearest time that an ID can encode. The clock of a machine that has just booted may be before
 * 2020; the result must still be an own lease.
 */
export function clampLeaseTime(time: number): number {
  return Math.min(Math.max(time, EPOCH), LAST_EXPIRATION);
}

/** Maximum TTL of a lease in etcd, in seconds. */
export const MAX_LEASE_TTL = 9_000_000_000;

/** When a lease with this TTL in seconds ends, in milliseconds since 1970. */
export function endOfLease(ttl: number, now: number): number {
  // A greater TTL of a broken server would not be a valid date.
  return clampLeaseTime(now) + Math.min(ttl, MAX_LEASE_TTL) * 1000;
}

/**
 * Encodes the ID of a lease that ends at `expiration`, in decimal. `counter` makes it unique.
 */
export function encodeLeaseId({ expiration, directory }: LeaseIdContent, counter: number): string {
  const time = (TAG << EXPIRATION_BITS) | BigInt(clampLeaseTime(expiration) - EPOCH);
  const kind = (time << 1n) | (directory ? 1n : 0n);
  return String((kind << COUNTER_BITS) | BigInt(counter % COUNTERS));
}

/** Decodes an ID; `undefined` for an external lease. */
export function decodeLeaseId(id: string): LeaseIdContent | undefined {
  const kind = BigInt(id) >> COUNTER_BITS;
  const time = kind >> 1n;
  if (time >> EXPIRATION_BITS !== TAG) return undefined;
  return {
    expiration: EPOCH + Number(BigInt.asUintN(Number(EXPIRATION_BITS), time)),
    directory: (kind & 1n) === 1n,
  };
}

/** Whether a lease is an own one of a file: then no other key is attached to it. */
export function isFileLease(id: string): boolean {
  return id !== NO_LEASE && decodeLeaseId(id)?.directory === false;
}

/** Returns the lease that ends first. An external lease counts as one without an end. */
export function earlierLease(own: string, directory: string): string {
  if (own === NO_LEASE) return directory;
  return endOf(own) < endOf(directory) ? own : directory;
}

function endOf(id: string): number {
  const content = id === NO_LEASE ? undefined : decodeLeaseId(id);
  return content?.expiration ?? Number.POSITIVE_INFINITY;
}
