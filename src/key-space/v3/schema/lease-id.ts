import { NO_LEASE } from "../../../etcd3/transaction.js";

/** What the id of one of our leases says. */
export interface LeaseMeaning {
  /** Milliseconds since 1970. */
  readonly expiration: number;
  /** Whether the TTL is a directory's: files that hang on it have none of their own. */
  readonly directory: boolean;
}

/** The upper 15 bits of our ids, `et`: ids that etcd chooses begin with a member's own bits. */
const TAG = 0x6574n;
const EPOCH = Date.UTC(2020, 0, 1);
const EXPIRATION_BITS = 42n;
const COUNTER_BITS = 5n;
const COUNTERS = 2 ** Number(COUNTER_BITS);

/** The last moment that an id can tell, in the year 2159. */
export const LAST_EXPIRATION = EPOCH + 2 ** Number(EXPIRATION_BITS) - 1;

/**
 * The nearest moment that an id can tell. A clock may stand before 2020, on a machine that has just
 * started: what is computed from it must still be a lease of ours.
 */
export function leaseTime(moment: number): number {
  return Math.min(Math.max(moment, EPOCH), LAST_EXPIRATION);
}

/** The id, as v3's JSON writes it, of a lease that ends at a moment; `counter` makes it unique. */
export function encodeLeaseId({ expiration, directory }: LeaseMeaning, counter: number): string {
  const time = (TAG << EXPIRATION_BITS) | BigInt(leaseTime(expiration) - EPOCH);
  const kind = (time << 1n) | (directory ? 1n : 0n);
  return String((kind << COUNTER_BITS) | BigInt(counter % COUNTERS));
}

/** What an id says; nothing when the lease is not ours. */
export function decodeLeaseId(id: string): LeaseMeaning | undefined {
  const kind = BigInt(id) >> COUNTER_BITS;
  const time = kind >> 1n;
  if (time >> EXPIRATION_BITS !== TAG) return undefined;
  return {
    expiration: EPOCH + Number(BigInt.asUintN(Number(EXPIRATION_BITS), time)),
    directory: (kind & 1n) === 1n,
  };
}

/** Whether a lease is ours and a file's own: then no other key hangs on it. */
export function isFileLease(id: string): boolean {
  return id !== NO_LEASE && decodeLeaseId(id)?.directory === false;
}

/** Which of two leases ends first. One that is not ours counts as one that never ends. */
export function earlierLease(own: string, directory: string): string {
  if (own === NO_LEASE) return directory;
  return endOf(own) < endOf(directory) ? own : directory;
}

function endOf(id: string): number {
  const meaning = id === NO_LEASE ? undefined : decodeLeaseId(id);
  return meaning?.expiration ?? Number.POSITIVE_INFINITY;
}
