import { inspect } from "node:util";
import { OptionError } from "../../errors/option-error.js";

/** The TTL of a leased key and the times derived from it. */
export interface LeaseSettings {
  /** Seconds, as sent to etcd. */
  readonly ttl: number;
  /** Milliseconds for which a successful request proves the ownership, counted from its sending. */
  readonly proofDuration: number;
  /**
   * Milliseconds for one attempt at one member: a quarter of the TTL, so that there is time for an
   * attempt at another member.
   */
  readonly attemptTimeout: number;
}

/** Options of every recipe with a TTL. */
export interface LeaseOptions {
  /**
   * Whole seconds after which etcd removes the key of an owner that does not renew it. A quarter
   * of it must be more than a round trip to etcd.
   */
  readonly ttl?: number | undefined;
  /**
   * Milliseconds before the end of the TTL at which the ownership counts as lost. It compensates
   * for clocks of different speed, and for the time that an action takes after `assertHeld()`.
   *
   * @default a tenth of the TTL
   */
  readonly safetyMargin?: number | undefined;
}

/** @throws TypeError naming the option */
export function leaseSettingsOf({ ttl, safetyMargin }: LeaseOptions, field = "ttl"): LeaseSettings {
  if (ttl === undefined || !Number.isSafeInteger(ttl) || ttl < 1) {
    throw new OptionError(
      field,
      `must be a whole number of seconds, at least 1, not ${inspect(ttl)}`,
    );
  }
  const ttlMs = ttl * 1000;
  const margin = safetyMargin ?? ttlMs / 10;
  if (!(margin >= 0 && margin <= ttlMs / 2)) {
    throw new OptionError(
      "safetyMargin",
      `must be from 0 to ${ttlMs / 2} ms, half of the TTL, not ${inspect(safetyMargin)}`,
    );
  }
  return { ttl, proofDuration: ttlMs - margin, attemptTimeout: ttlMs / 4 };
}
