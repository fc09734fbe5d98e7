import type { KeyValue } from "../../../etcd3/rpcs.js";
import { type Bytes, NO_LEASE } from "../../../etcd3/transaction.js";
import { decodeLeaseId, earlierLease } from "../schema/lease-id.js";
import { ownLease } from "../schema/node-view.js";
import { ancestorsOf } from "../schema/path-snapshot.js";

/** A node that is attached to another lease than it should be. */
export interface Move {
  readonly kv: KeyValue;
  readonly lease: string;
  /**
   * Key of a marker attached to `lease`. The move compares it: no node joins a lease without a
   * marker attached to it, so a lease that has lost its last marker never gets a node again. Absent
   * without a lease, or for a new one.
   */
  readonly holder?: Bytes | undefined;
}

/** The descendants of a directory by path, parents first. */
export interface Subtree {
  readonly path: string;
  /** The marker of the directory itself. */
  readonly marker: KeyValue;
  readonly markers: ReadonlyMap<string, KeyValue>;
  readonly files: ReadonlyMap<string, KeyValue>;
  /** Order records by the path of their directory, including the directory itself. */
  readonly orders: ReadonlyMap<string, KeyValue>;
}

/**
 * Returns the moves after which nothing outlives its directory or expires with a TTL that its
 * directory no longer has. External leases are not changed.
 */
export function movesIn({ path, marker, markers, files, orders }: Subtree): readonly Move[] {
  const leases = new Map([[path, marker.lease]]);
  const holders = new Map([[marker.lease, marker.key]]);
  const moves: Move[] = [];
  const expect = (kv: KeyValue, wanted: string): void => {
    if (kv.lease === wanted) return;
    moves.push({
      kv,
      lease: wanted,
      holder: wanted === NO_LEASE ? undefined : holders.get(wanted),
    });
  };
  for (const [at, kv] of markers) {
    const wanted = earlierLease(ownLease(kv), leaseAbove(at, leases));
    leases.set(at, wanted);
    if (kv.lease === wanted && !holders.has(wanted)) holders.set(wanted, kv.key);
    expect(kv, wanted);
  }
  for (const [at, kv] of files) {
    const content = decodeLeaseId(kv.lease);
    if (kv.lease !== NO_LEASE && content === undefined) continue;
    const own = content?.directory === false ? kv.lease : NO_LEASE;
    expect(kv, earlierLease(own, leaseAbove(at, leases)));
  }
  for (const [at, kv] of orders) expect(kv, leases.get(at) ?? leaseAbove(at, leases));
  // The content of a subdirectory follows in the next round, when the subdirectory has its new
  // lease.
  const renewals = moves.filter(isRenewal);
  return renewals.length > 0 ? renewals : moves;
}

/** Whether a node of the subtree is attached to the lease. */
export function isInUse(lease: string, { marker, markers, files, orders }: Subtree): boolean {
  const isAttached = (kv: KeyValue): boolean => kv.lease === lease;
  return (
    isAttached(marker) ||
    [markers, files, orders].some((nodes) => [...nodes.values()].some(isAttached))
  );
}

/** Whether the move restores a subdirectory's own TTL, which then needs a new lease. */
export function isRenewal({ kv, lease }: Move): boolean {
  return lease !== NO_LEASE && lease === ownLease(kv);
}

/** The lease of the nearest known ancestor. */
function leaseAbove(path: string, leases: ReadonlyMap<string, string>): string {
  const above = ancestorsOf(path).findLast((ancestor) => leases.has(ancestor)) ?? "";
  return leases.get(above) ?? NO_LEASE;
}
