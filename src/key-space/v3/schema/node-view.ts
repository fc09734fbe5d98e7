import type { KeyValue } from "../../../etcd3/rpcs.js";
import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { EtcdDirectory, EtcdNode } from "../../../model/node.js";
import { type Expiry, expiryOf } from "../../shared/expiry.js";
import { clampLeaseTime, decodeLeaseId } from "./lease-id.js";

/** The part of a key that a node shows. */
type Content = Omit<KeyValue, "key" | "version">;

/** Everything needed to present v3 keys as v2 nodes. */
export interface NodeView {
  /** Index offset, which is added to revisions. */
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** End of leases in milliseconds since 1970, by ID, as far as it was queried. */
  readonly ends?: ReadonlyMap<string, number>;
  /** Whether nodes may have expired since: then their TTL is negative. */
  readonly isPast?: boolean;
}

/** Presents a file. A file attached to a directory's lease shows no TTL. */
export function showFile(path: string, kv: Content, view: NodeView): EtcdNode {
  const value = textOf(kv.value);
  const modifiedIndex = kv.mod_revision + view.offset;
  const createdIndex = kv.create_revision + view.offset;
  const expiration = fileExpiration(kv.lease, view);
  // Most files have no TTL, and a spread costs more than the rest.
  return expiration === undefined
    ? { key: path, value, modifiedIndex, createdIndex }
    : { key: path, value, ...timeLeft(expiration, view), modifiedIndex, createdIndex };
}

/** Presents a directory by its marker or, without one, by the first key below it. */
export function showDirectory(
  path: string,
  kv: Content,
  isMarker: boolean,
  view: NodeView,
): EtcdDirectory {
  const index = kv.create_revision + view.offset;
  const expiration = isMarker ? ownExpiration(kv, view) : undefined;
  return {
    key: path,
    dir: true,
    ...timeLeft(expiration, view),
    modifiedIndex: index,
    createdIndex: index,
  };
}

/** The root, which has no indexes in etcd. */
export const ROOT_NODE: EtcdDirectory = { key: "/", dir: true, modifiedIndex: 0, createdIndex: 0 };

/** The lease of a node's own TTL, from a directory's marker or a file's TTL record. */
export function ownLease(record: Pick<KeyValue, "value">): string {
  const id = textOf(record.value);
  return /^\d{1,19}$/.test(id) ? id : NO_LEASE;
}

/** Text of a value; bytes that are not UTF-8 become U+FFFD, as in etcd v2. */
export function textOf(value: Buffer): string {
  return value.toString();
}

/**
 * An existing node has at least one second left. Its lease may end later than its ID says: etcd
 * uses its own clock, and extends leases after a leader election.
 */
function timeLeft(expiration: number | undefined, { now, isPast = false }: NodeView): Expiry {
  const expiry = expiryOf(expiration, clampLeaseTime(now));
  if (isPast || expiration === undefined) return expiry;
  return { ...expiry, ttl: Math.max(1, expiry.ttl ?? 0) };
}

function ownExpiration(marker: Pick<KeyValue, "value">, { ends }: NodeView): number | undefined {
  const lease = ownLease(marker);
  const content = decodeLeaseId(lease);
  return content && (ends?.get(lease) ?? content.expiration);
}

function fileExpiration(lease: string, { ends }: NodeView): number | undefined {
  if (lease === NO_LEASE) return undefined;
  const content = decodeLeaseId(lease);
  return content?.directory ? undefined : (ends?.get(lease) ?? content?.expiration);
}
