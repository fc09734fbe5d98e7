/** Transactions of v3 as plain values. In requests, text stands for its UTF-8 bytes. */

import type { Compare, RangeRequest, RequestOp, TxnRequest } from "./rpcs.js";

/** In v3, this id means "no lease". */
export const NO_LEASE = "0";

/** A key or a value in a request. */
export type Bytes = string | Uint8Array;

/** Keys from `key` (inclusive) to `range_end` (exclusive). */
export interface KeyRange {
  readonly key: Bytes;
  readonly range_end: Bytes;
}

/** etcd's default limit on operations, and on comparisons, in one transaction. */
export const MAX_TXN_OPS = 128;

/** A read-only operation. */
export interface Read {
  readonly request_range: RangeRequest;
}

/** Options of a read. */
export type ReadOptions = Pick<RangeRequest, "keys_only" | "revision" | "serializable">;

/** Operations to execute if all comparisons are true. */
export interface TxnBranch {
  readonly if: readonly Compare[];
  /** The operation whose previous value matters comes first. */
  readonly do: readonly RequestOp[];
}

export function isPresent(key: Bytes): Compare {
  return { key, result: "GREATER" };
}

/** Omitted fields have v3's defaults: the version equals 0. */
export function isAbsent(key: Bytes): Compare {
  return { key };
}

/** etcd reads the complete range, so put this after cheaper comparisons. */
export function isEmpty({ key, range_end }: KeyRange): Compare {
  return { key, range_end };
}

/** Also true for an absent key if `lease` is {@link NO_LEASE}. */
export function hasLease(key: Bytes, lease: string): Compare {
  return lease === NO_LEASE ? { key, target: "LEASE" } : { key, target: "LEASE", lease };
}

/** False for an absent key. */
export function hasValue(key: Bytes, value: Bytes): Compare {
  return { key, target: "VALUE", value };
}

export function isAtRevision(key: Bytes, revision: number): Compare {
  return { key, target: "MOD", mod_revision: revision };
}

/** Also true for an absent key. */
export function isOlderThan(key: Bytes, revision: number): Compare {
  return { key, target: "MOD", result: "LESS", mod_revision: revision };
}

/** Writes a key. Without a value, keeps the current one; the key must exist. */
export function put(key: Bytes, value: Bytes | undefined, lease: string): RequestOp {
  const content = value === undefined ? { ignore_value: true } : { value };
  return {
    request_put: { key, ...content, prev_kv: true, ...(lease !== NO_LEASE && { lease }) },
  };
}

/** Writes a record without reading its previous value. */
export function putWithoutPrevious(key: Bytes, value: Bytes, lease = NO_LEASE): RequestOp {
  return { request_put: { key, value, ...(lease !== NO_LEASE && { lease }) } };
}

/** Deletes one key and returns its previous value. */
export function remove(key: Bytes): RequestOp {
  return { request_delete_range: { key, prev_kv: true } };
}

export function removeAll({ key, range_end }: KeyRange): RequestOp {
  return { request_delete_range: { key, range_end } };
}

export function read(key: Bytes, options: ReadOptions = {}): Read {
  return { request_range: { key, ...options } };
}

/** Reads up to `limit` keys of a range, in byte order. */
export function readPage(
  { key, range_end }: KeyRange,
  limit: number,
  options: ReadOptions = {},
): Read {
  return { request_range: { key, range_end, limit, ...options } };
}

/** Reads the first key of a range, without its value. */
export function readFirst(range: KeyRange, options: ReadOptions = {}): Read {
  return readPage(range, 1, { keys_only: true, ...options });
}

/** The same read at a revision. */
export function atRevision({ request_range }: Read, revision: number): Read {
  return { request_range: { ...request_range, revision } };
}

/** Executes the first branch whose comparisons are true, or `otherwise` if there is none. */
export function firstOf(
  branches: readonly TxnBranch[],
  otherwise: readonly RequestOp[],
): TxnRequest {
  const [first, ...others] = branches;
  if (first === undefined) return { compare: [], success: otherwise };
  const failure = others.length === 0 ? otherwise : [{ request_txn: firstOf(others, otherwise) }];
  return { compare: first.if, success: first.do, failure };
}
