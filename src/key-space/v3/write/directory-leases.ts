import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { KeyValue } from "../../../etcd3/transaction-answer.js";
import { decodeLeaseId, earlierLease } from "../schema/lease-id.js";
import { ownLease } from "../schema/node-view.js";
import { ancestorsOf } from "../schema/path-snapshot.js";

/** A node that hangs on another lease than it should. */
export interface Move {
  readonly kv: KeyValue;
  readonly lease: string;
}

/** A subtree: what is below a directory, by paths, parents first. */
export interface Subtree {
  readonly path: string;
  /** The lease that the directory itself hangs on. */
  readonly lease: string;
  readonly markers: ReadonlyMap<string, KeyValue>;
  readonly files: ReadonlyMap<string, KeyValue>;
  /** By the paths of the directories that they are of; the directory's own as well. */
  readonly orders: ReadonlyMap<string, KeyValue>;
}

/**
 * What must move so that nothing outlives its directory, nor ends with a TTL that its directory no
 * longer has. Leases of others are left alone.
 */
export function movesIn({ path, lease, markers, files, orders }: Subtree): readonly Move[] {
  const leases = new Map([[path, lease]]);
  const moves: Move[] = [];
  const expect = (kv: KeyValue, wanted: string): void => {
    if (kv.lease !== wanted) moves.push({ kv, lease: wanted });
  };
  for (const [at, kv] of markers) {
    const wanted = earlierLease(ownLease(kv), leaseAbove(at, leases));
    leases.set(at, wanted);
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

/** Whether it brings a subdirectory's own TTL back, which then needs another lease. */
export function isRenewal({ kv, lease }: Move): boolean {
  return lease !== NO_LEASE && lease === ownLease(kv);
}

/** The lease of the nearest directory that is known. */
function leaseAbove(path: string, leases: ReadonlyMap<string, string>): string {
  const above = ancestorsOf(path).findLast((ancestor) => leases.has(ancestor)) ?? "";
  return leases.get(above) ?? NO_LEASE;
}
