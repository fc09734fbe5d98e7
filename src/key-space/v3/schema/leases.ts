import { refusalReasonOf } from "../../../etcd3/error-messages.js";
import { RPC } from "../../../etcd3/rpcs.js";
import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { Clock } from "../../../time/clock.js";
import { decodeLeaseId, encodeLeaseId, endOfLease, MAX_LEASE_TTL } from "./lease-id.js";

/** Attempts to find an ID that no lease has. */
const MAX_GRANTS = 32;
const MAX_CONCURRENT_QUERIES = 64;

/** Grants and revokes the v3 leases that implement v2 TTLs. */
export class Leases {
  readonly #api: V3Api;
  readonly #clock: Clock;
  readonly #asksForOwn: boolean;
  /** Ends of own leases, by ID, in milliseconds of the monotonic clock: they are not kept alive. */
  readonly #ownEnds = new Map<string, number>();
  /** Random start, so that IDs of processes that start together differ. */
  #counter = Math.floor(Math.random() * 32);

  /** @param asksForOwn whether own leases are queried too: their IDs depend on the clock of who has granted them */
  constructor(api: V3Api, clock: Clock, asksForOwn: boolean) {
    this.#api = api;
    this.#clock = clock;
    this.#asksForOwn = asksForOwn;
  }

  /** The lease ID for a TTL; `NO_LEASE` for a TTL above etcd's maximum, which means no TTL. */
  idFor(ttl: number, directory: boolean): string {
    if (ttl > MAX_LEASE_TTL) return NO_LEASE;
    const expiration = endOfLease(ttl, this.#clock.now());
    return encodeLeaseId({ expiration, directory }, this.#counter++);
  }

  /**
   * Grants the lease for a TTL and returns its ID. etcd may extend the TTL. A grant is retried like
   * a read, because a superfluous lease just expires.
   */
  async grant(
    ttl: number,
    directory: boolean,
    call: V3Call,
    attempts = MAX_GRANTS,
  ): Promise<string> {
    const id = this.idFor(ttl, directory);
    if (id === NO_LEASE) return id;
    const grant = { ID: id, TTL: Math.max(1, ttl) };
    const begun = this.#clock.monotonic();
    try {
      await this.#api.call(RPC.leaseGrant, grant, { ...call, safety: "read" });
      if (this.#asksForOwn) this.#ownEnds.set(id, begun + grant.TTL * 1000);
      return id;
    } catch (error) {
      if (refusalReasonOf(error) !== "lease-exists" || attempts === 1) throw error;
      return await this.grant(ttl, directory, call, attempts - 1);
    }
  }

  /**
   * Grants a lease whose ID etcd chooses, so that no ID is ever used twice: an attempt that is
   * executed late makes another lease.
   */
  async grantNew(ttl: number, call: V3Call): Promise<string> {
    const read: V3Call = { ...call, safety: "read" };
    return (await this.#api.call(RPC.leaseGrant, { TTL: ttl }, read)).message.ID;
  }

  /** Whether a lease exists. */
  async exists(id: string, call: V3Call): Promise<boolean> {
    const read: V3Call = { ...call, safety: "read" };
    return (await this.#api.call(RPC.leaseTimeToLive, { ID: id }, read)).message.TTL >= 0;
  }

  /** Revokes in the background a lease without keys, instead of waiting for its expiry. */
  revoke(id: string): void {
    const operation = "POST /v3/lease/revoke";
    const call: V3Call = { operation, key: "/", safety: "write", scope: "quorum" };
    this.#api.call(RPC.leaseRevoke, { ID: id }, call).catch(() => {});
  }

  /** Whether the ID of a lease does not say when it ends. */
  mustQuery(id: string): boolean {
    return id !== NO_LEASE && (this.#asksForOwn || decodeLeaseId(id) === undefined);
  }

  /** When leases end, in milliseconds since 1970. Leases that are gone are omitted. */
  async endsOf(ids: Iterable<string>, call: V3Call): Promise<ReadonlyMap<string, number>> {
    const ends = new Map<string, number>();
    const unknown: string[] = [];
    for (const id of new Set(ids)) {
      const end = this.#ownEnds.get(id);
      if (end === undefined) unknown.push(id);
      else ends.set(id, this.#clock.now() + end - this.#clock.monotonic());
    }
    while (unknown.length > 0) {
      const some = unknown.splice(0, MAX_CONCURRENT_QUERIES);
      await Promise.all(some.map((id) => this.#query(id, ends, call)));
    }
    return ends;
  }

  async #query(id: string, ends: Map<string, number>, call: V3Call): Promise<void> {
    const begun = this.#clock.monotonic();
    const { TTL: ttl } = (await this.#api.call(RPC.leaseTimeToLive, { ID: id }, call)).message;
    if (ttl < 0) return;
    ends.set(id, endOfLease(ttl, this.#clock.now()));
    if (decodeLeaseId(id) !== undefined) this.#ownEnds.set(id, begun + ttl * 1000);
  }
}
