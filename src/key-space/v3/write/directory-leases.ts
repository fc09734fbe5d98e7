import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { KeyValue } from "../../../etcd3/transaction-answer.js";
import { decodeLeaseId, earlierLease } from "../schema/lease-id.js";
import { ownLease } from "../schema/node-view.js";
import { ancestorsOf } from "../schema/path-snapshot.js";

/** A node that is on another lease than it should be. */
export interface Move {
  readonly kv: KeyValue;
  readonly lease: string;
  /**
   * Key of a marker that is on `lease`. The move compares it: as no node joins a lease without a marker
   * on it, a lease that once has no marker never gets a node again. Absent: for no lease, or a new one.
   */
  readonly holder?: string | undefined;
}

/** A subtree: what is below a directory, by paths, parents first. */
export interface Subtree {
  readonly path: string;
  /** The marker of the directory itself. */
  readonly marker: KeyValue;
  readonly markers: ReadonlyMap<string, KeyValue>;
  readonly files: ReadonlyMap<string, KeyValue>;
  /** By the paths of the directories that they are of; the directory's own as well. */
  readonly orders: ReadonlyMap<string, KeyValue>;
}

/**
 * What must move so that nothing outlives its directory, nor ends with a TTL that its directory no
 * longer has. Leases of others are left alone.
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
    const meaning = decodeLeaseId(kv.lease);
    if (kv.lease !== NO_LEASE && meaning === undefined) continue;
    const own = meaning?.directory === false ? kv.lease : NO_LEASE;
    expect(kv, earlierLease(own, leaseAbove(at, leases)));
  }
  for (const [at, kv] of orders) expect(kv, leases.get(at) ?? leaseAbove(at, leases));
  // What is in a subdirectory follows in the next round, when that hangs on its new lease.
  const renewals = moves.filter(isRenewal);
  return renewals.length > 0 ? renewals : moves;
}

/** Whether anything in the subtree is on the lease. */
export function isInUse(lease: string, { marker, markers, files, orders }: Subtree): boolean {
  const isOn = (kv: KeyValue): boolean => kv.lease === lease;
  return isOn(marker) || [markers, files, orders].some((nodes) => [...nodes.values()].some(isOn));
}

/** Whether it brings a subdirectory's own TTL back, which then needs another lease. */
export function isRenewal({ kv, lease }: Move): boolean {
  return lease !== NO_LEASE && lease === ownLease(kv);
}

/** The lease of the nearest directory that is known. */
function leaseAbove(path: string, leases: ReadonlyMap<string, string>): string {
  const above = ancestorsOf(path).findLast((ancestor) => leases.has(ancestor)) ?? "";
  return leases.get(above) ?? NO_LEASE;
}
