import type { KeyValue } from "../../../etcd3/rpcs.js";
import { type Bytes, NO_LEASE } from "../../../etcd3/transaction.js";
import { decodeLeaseId, earlierLease, isFileLease } from "../schema/lease-id.js";
import { ownLease } from "../schema/node-view.js";
import { ancestorsOf } from "../schema/path-snapshot.js";

/** A node that is attached to another lease than it should be. */
export interface Move {
  readonly kv: KeyValue;
  readonly path: string;
  readonly kind: "marker" | "file" | "order";
  readonly lease: string;
  /** The lease of the node's own TTL, or `NO_LEASE`. */
  readonly own: string;
  /** Revision of the TTL record of a file; 0 without one. The move compares it, because it decides about `own`. */
  readonly recordedAt?: number;
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
  /** TTL records by the path of their file. */
  readonly ttls: ReadonlyMap<string, KeyValue>;
  /** Order records by the path of their directory, including the directory itself. */
  readonly orders: ReadonlyMap<string, KeyValue>;
}

/**
 * Returns the moves after which nothing outlives its directory or expires with a TTL that its
 * directory no longer has. External leases are not changed.
 */
export function movesIn(subtree: Subtree): readonly Move[] {
  const { path, marker, markers, files, orders } = subtree;
  const leases = new Map([[path, marker.lease]]);
  const holders = new Map([[marker.lease, marker.key]]);
  const moves: Move[] = [];
  const expect = (node: Omit<Move, "lease" | "holder">, lease: string): void => {
    if (node.kv.lease === lease) return;
    moves.push({ ...node, lease, holder: lease === NO_LEASE ? undefined : holders.get(lease) });
  };
  for (const [at, kv] of markers) {
    const own = ownLease(kv);
    const wanted = earlierLease(own, leaseAbove(at, leases));
    leases.set(at, wanted);
    if (kv.lease === wanted && !holders.has(wanted)) holders.set(wanted, kv.key);
    expect({ kv, path: at, kind: "marker", own }, wanted);
  }
  for (const [at, kv] of files) {
    if (kv.lease !== NO_LEASE && decodeLeaseId(kv.lease) === undefined) continue;
    const own = isFileLease(kv.lease) ? kv.lease : recordedLease(at, kv, subtree);
    const recordedAt = subtree.ttls.get(at)?.mod_revision ?? 0;
    const wanted = earlierLease(own, leaseAbove(at, leases));
    expect({ kv, path: at, kind: "file", own, recordedAt }, wanted);
  }
  for (const [at, kv] of orders) {
    const wanted = leases.get(at) ?? leaseAbove(at, leases);
    expect({ kv, path: at, kind: "order", own: NO_LEASE }, wanted);
  }
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

/** Whether the move restores a node's own TTL, which then needs a new lease. */
export function isRenewal({ lease, own }: Move): boolean {
  return lease !== NO_LEASE && lease === own;
}

/** The lease of the own TTL of a file that is attached to the lease of a directory. */
function recordedLease(path: string, file: KeyValue, { ttls }: Subtree): string {
  const record = ttls.get(path);
  if (record?.mod_revision !== file.mod_revision) return NO_LEASE;
  const id = ownLease(record);
  return isFileLease(id) ? id : NO_LEASE;
}

/** The lease of the nearest known ancestor. */
function leaseAbove(path: string, leases: ReadonlyMap<string, string>): string {
  const above = ancestorsOf(path).findLast((ancestor) => leases.has(ancestor)) ?? "";
  return leases.get(above) ?? NO_LEASE;
}
