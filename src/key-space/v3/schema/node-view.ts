import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { KeyValue } from "../../../etcd3/transaction-answer.js";
import { fromBase64 } from "../../../etcd3/v3-json.js";
import type { EtcdNode } from "../../../model/node.js";
import { type Expiry, expiryOf } from "../../shared/expiry.js";
import { decodeLeaseId, leaseTime } from "./lease-id.js";

/** What it takes to show keys of v3 as nodes of v2. */
export interface NodeView {
  /** What is added to revisions. */
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** When leases that are not ours end, by their ids, as far as that was asked. */
  readonly external?: ReadonlyMap<string, number>;
}

/** A file. One that hangs on a directory's lease has no TTL of its own. */
export function showFile(path: string, kv: KeyValue, view: NodeView): EtcdNode {
  return {
    key: path,
    value: textOf(kv.value),
    ...timeLeft(fileExpiration(kv.lease, view), view),
    modifiedIndex: kv.modRevision + view.offset,
    createdIndex: kv.createRevision + view.offset,
  };
}

/** A directory, by its marker or, where it has none, by the first key below it. */
export function showDirectory(
  path: string,
  kv: KeyValue,
  isMarker: boolean,
  view: NodeView,
): EtcdNode {
  const index = kv.createRevision + view.offset;
  const expiration = isMarker ? ownExpiration(kv) : undefined;
  return {
    key: path,
    dir: true,
    ...timeLeft(expiration, view),
    modifiedIndex: index,
    createdIndex: index,
  };
}

/** The root, of which etcd tells no indexes. */
export const ROOT: EtcdNode = { key: "/", dir: true, modifiedIndex: 0, createdIndex: 0 };

/** The lease that a directory's own TTL asks for, by its marker. */
export function ownLease(marker: KeyValue): string {
  const id = textOf(marker.value);
  return /^\d{1,19}$/.test(id) ? id : NO_LEASE;
}

/** Text of a value; what is not UTF-8 reads U+FFFD, as with etcd v2. */
export function textOf(value: string): string {
  return fromBase64(value) ?? Buffer.from(value, "base64").toString();
}

/**
 * What is there has a second left at least. Its lease may end later than its id says: by etcd's own
 * clock, and etcd extends leases when a leader is elected.
 */
function timeLeft(expiration: number | undefined, { now }: NodeView): Expiry {
  const { ttl = 0, ...moment } = expiryOf(expiration, leaseTime(now));
  return expiration === undefined ? moment : { ...moment, ttl: Math.max(1, ttl) };
}

function ownExpiration(marker: KeyValue): number | undefined {
  return decodeLeaseId(ownLease(marker))?.expiration;
}

function fileExpiration(lease: string, { external: foreign }: NodeView): number | undefined {
  if (lease === NO_LEASE) return undefined;
  const meaning = decodeLeaseId(lease);
  if (meaning === undefined) return foreign?.get(lease);
  return meaning.directory ? undefined : meaning.expiration;
}
