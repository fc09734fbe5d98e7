import { inspect } from "node:util";

/** For how long a key is owned by one proof, complete. */
export interface LeaseSettings {
  /** Seconds, as etcd takes them. */
  readonly ttl: number;
  /** Milliseconds after the sending of a good request for which it proves the ownership. */
  readonly proofLasts: number;
  /**
   * Milliseconds for one attempt at one member: a quarter of the TTL, so that another member can
   * be asked in time.
   */
  readonly attemptTimeout: number;
}

/** What a recipe with a TTL is told. */
export interface LeaseSettingsOptions {
  /**
   * Whole seconds after which etcd removes the key of an owner that does not renew it. A quarter
   * of it must be more than a round trip to etcd.
   */
  readonly ttl?: number;
  /**
   * Milliseconds by which ownership counts as lost before the TTL is over: for clocks that do not
   * run equally fast, and for what takes time after `assertHeld()`.
   *
   * @default a tenth of the TTL
   */
  readonly safetyMargin?: number;
}

/** @throws TypeError naming the option */
export function leaseSettingsOf(
  { ttl, safetyMargin }: LeaseSettingsOptions,
  field = "ttl",
): LeaseSettings {
  if (ttl === undefined || !Number.isSafeInteger(ttl) || ttl < 1) {
    throw new TypeError(
      `${field}: must be a whole number of seconds, at least 1, not ${inspect(ttl)}`,
    );
  }
  const whole = ttl * 1000;
  const margin = safetyMargin ?? whole / 10;
  if (!(margin >= 0 && margin <= whole / 2)) {
    throw new TypeError(
      `safetyMargin: must be from 0 to ${whole / 2} ms, half of the TTL, not ${inspect(safetyMargin)}`,
    );
  }
  return { ttl, proofLasts: whole - margin, attemptTimeout: whole / 4 };
}
