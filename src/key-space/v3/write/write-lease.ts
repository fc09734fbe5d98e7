import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { earlierLease } from "../schema/lease-id.js";
import type { Leases } from "../schema/leases.js";
import { isDirectory } from "../schema/path-snapshot.js";
import type { Assumptions } from "./assumptions.js";
import type { WriteRequest } from "./txn-plan.js";

/** The lease of the TTL of one write: granted once for all attempts. */
export class WriteLease {
  readonly #leases: Leases;
  readonly #request: WriteRequest;
  readonly #call: V3Call;
  /** By whether the node is a directory, which is only assumed at first. Most writes have no TTL, and so no map. */
  #granted: Map<boolean, string> | undefined;

  constructor(leases: Leases, request: WriteRequest, call: V3Call) {
    this.#leases = leases;
    this.#request = request;
    this.#call = call;
  }

  /**
   * Returns the lease ID. The lease is granted unless the parent directory's lease ends earlier.
   */
  async leaseFor({ lease, target }: Assumptions): Promise<string> {
    const ttl = "ttl" in this.#request ? this.#request.ttl : undefined;
    if (ttl === undefined) return NO_LEASE;
    const directory =
      makesDirectory(this.#request) || (target !== undefined && isDirectory(target));
    const granted = this.#granted?.get(directory);
    if (granted !== undefined) return granted;
    const proposed = this.#leases.idFor(ttl, directory);
    if (earlierLease(proposed, lease) !== proposed) return proposed;
    const id = await this.#leases.grant(ttl, directory, this.#call);
    this.#granted ??= new Map();
    this.#granted.set(directory, id);
    return id;
  }

  /** Forgets a granted lease that expired before it was used. */
  forget(): void {
    this.#granted = undefined;
  }

  /** Revokes granted leases that were not used. */
  release(used = NO_LEASE): void {
    if (this.#granted === undefined) return;
    for (const lease of this.#granted.values()) if (lease !== used) this.#leases.revoke(lease);
  }
}

function makesDirectory(request: WriteRequest): boolean {
  const { action } = request;
  return (action === "set" || action === "create") && request.dir === true;
}
