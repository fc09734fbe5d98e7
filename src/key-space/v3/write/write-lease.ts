import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { earlierLease } from "../schema/lease-id.js";
import type { Leases } from "../schema/leases.js";
import { isDirectory } from "../schema/path-snapshot.js";
import type { Assumptions } from "./assumptions.js";
import type { WriteRequest } from "./txn-plan.js";

/** The lease that the TTL of one write asks for: granted once, for all of the write's tries. */
export class WriteLease {
  readonly #leases: Leases;
  readonly #request: WriteRequest;
  readonly #call: V3Call;
  /** By whether it is a directory's, which is at first only believed. */
  readonly #granted = new Map<boolean, string>();

  constructor(leases: Leases, request: WriteRequest, call: V3Call) {
    this.#leases = leases;
    this.#request = request;
    this.#call = call;
  }

  /** Its id: granted, unless the lease of the directory above ends earlier anyway. */
  async on({ lease, target }: Assumptions): Promise<string> {
    const ttl = "ttl" in this.#request ? this.#request.ttl : undefined;
    if (ttl === undefined) return NO_LEASE;
    const directory =
      makesDirectory(this.#request) || (target !== undefined && isDirectory(target));
    const granted = this.#granted.get(directory);
    if (granted !== undefined) return granted;
    const proposed = this.#leases.idFor(ttl, directory);
    if (earlierLease(proposed, lease) !== proposed) return proposed;
    const id = await this.#leases.grant(ttl, directory, this.#call);
    this.#granted.set(directory, id);
    return id;
  }

  /** What was granted has run out before it was used. */
  forget(): void {
    this.#granted.clear();
  }

  /** Returns what was granted and not used. */
  release(used = NO_LEASE): void {
    for (const lease of this.#granted.values()) if (lease !== used) this.#leases.revoke(lease);
  }
}

function makesDirectory(request: WriteRequest): boolean {
  const { action } = request;
  return (action === "set" || action === "create") && request.dir === true;
}
