import { AbortError } from "../../../errors/abort-error.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { abortable } from "../../../stream/abortable.js";
import type { Clock } from "../../../time/clock.js";
import type { Leases } from "../schema/leases.js";

/**
 * A lease that the writes of this process share, for half of its TTL at most: then the next write
 * gets a new one. So everything attached to it lives for at least half of the TTL, without
 * keep-alive requests, and ends when this process has ended.
 */
export class SharedLease {
  readonly #leases: Leases;
  readonly #clock: Clock;
  readonly #ttl: number;
  readonly #maxUses: number;
  #current: Promise<string> | undefined;
  /** Monotonic time until which the lease is used. */
  #until = 0;
  #uses = 0;

  /** @param ttl seconds */
  constructor(leases: Leases, clock: Clock, ttl: number, maxUses = Number.POSITIVE_INFINITY) {
    this.#leases = leases;
    this.#clock = clock;
    this.#ttl = ttl;
    this.#maxUses = maxUses;
  }

  /** The ID of the lease for one more write. */
  async id({ operation, key, scope, signal, attemptTimeout }: V3Call): Promise<string> {
    const now = this.#clock.monotonic();
    if (this.#current === undefined || now >= this.#until || this.#uses >= this.#maxUses) {
      this.#until = now + this.#ttl * 500;
      this.#uses = 0;
      // Without the signal of this call: others wait for the lease too.
      const what = `${operation} (grant of the lease of idempotency records)`;
      const call: V3Call = { operation: what, key, safety: "read", scope, attemptTimeout };
      this.#current = this.#leases.grantNew(this.#ttl, call);
      this.#current.catch(() => this.forget());
    }
    this.#uses++;
    const aborted = (reason: unknown): Error => new AbortError(operation, reason, "not-sent");
    return await abortable(this.#current, signal, aborted);
  }

  forget(): void {
    this.#current = undefined;
  }
}
