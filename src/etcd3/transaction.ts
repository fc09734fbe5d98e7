/** Transactions of v3 as plain values, in the form of its JSON API. */

/** In v3, this id means "no lease". */
export const NO_LEASE = "0";

/** Keys from `key` (inclusive) to `range_end` (exclusive), in base64. */
export interface KeyRange {
  readonly key: string;
  readonly range_end: string;
}

/** etcd's default limit on operations, and on comparisons, in one transaction. */
export const MAX_TXN_OPS = 128;

/** One comparison of a transaction. On a range it must be true for every key. */
export type Compare = Readonly<Record<string, string>>;

/** One operation of a transaction. */
export type Operation =
  | { readonly request_put: Readonly<Record<string, string | boolean>> }
  | Read
  | { readonly request_delete_range: Readonly<Record<string, string | boolean>> }
  | { readonly request_txn: Transaction };

/** A read-only operation. */
export interface Read {
  readonly request_range: Readonly<Record<string, string | number | boolean>>;
}

export interface Transaction {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure?: readonly Operation[];
}

/** Operations to execute if all comparisons are true. */
export interface TxnBranch {
  readonly if: readonly Compare[];
  /** The operation that returns the previous node comes first. */
  readonly do: readonly Operation[];
}

export function isPresent(key: string): Compare {
  return { key, result: "GREATER" };
}

/** Omitted fields have v3's defaults: the version equals 0. */
export function isAbsent(key: string): Compare {
  return { key };
}

/** etcd reads the complete range, so put this after cheaper comparisons. */
export function isEmpty({ key, range_end }: KeyRange): Compare {
  return { key, range_end };
}

/** Also true for an absent key if `lease` is {@link NO_LEASE}. */
export function hasLease(key: string, lease: string): Compare {
  return lease === NO_LEASE ? { key, target: "LEASE" } : { key, target: "LEASE", lease };
}

/** False for an absent key. */
export function hasValue(key: string, value: string): Compare {
  return { key, target: "VALUE", value };
}

export function isAtRevision(key: string, revision: number): Compare {
  return { key, target: "MOD", mod_revision: String(revision) };
}

/** Also true for an absent key. */
export function isOlderThan(key: string, revision: number): Compare {
  return { key, target: "MOD", result: "LESS", mod_revision: String(revision) };
}

/** Writes a key. Without a value, keeps the current one; the key must exist. */
export function put(key: string, value: string | undefined, lease: string): Operation {
  const content = value === undefined ? { ignore_value: true } : { value };
  return {
    request_put: { key, ...content, prev_kv: true, ...(lease !== NO_LEASE && { lease }) },
  };
}

/** Writes a record without reading its previous value. */
export function putRecord(key: string, value: string, lease = NO_LEASE): Operation {
  return { request_put: { key, value, ...(lease !== NO_LEASE && { lease }) } };
}

/** Deletes one key and returns its previous value. */
export function remove(key: string): Operation {
  return { request_delete_range: { key, prev_kv: true } };
}

export function removeAll({ key, range_end }: KeyRange): Operation {
  return { request_delete_range: { key, range_end } };
}

export function read(key: string, options = {}): Read {
  return { request_range: { key, ...options } };
}

/** Reads up to `limit` keys of a range, in byte order. */
export function readPage({ key, range_end }: KeyRange, limit: number, options = {}): Read {
  return { request_range: { key, range_end, limit, ...options } };
}

/** Reads the first key of a range, without its value. */
export function readFirst(range: KeyRange, options = {}): Read {
  return readPage(range, 1, { keys_only: true, ...options });
}

/** The same read at a revision. */
export function atRevision({ request_range }: Read, revision: number): Read {
  return { request_range: { ...request_range, revision: String(revision) } };
}

/** Executes the first branch whose comparisons are true, or `otherwise` if there is none. */
export function firstOf(
  branches: readonly TxnBranch[],
  otherwise: readonly Operation[],
): Transaction {
  const [first, ...others] = branches;
  if (first === undefined) return { compare: [], success: otherwise };
  const failure = others.length === 0 ? otherwise : [{ request_txn: firstOf(others, otherwise) }];
  return { compare: first.if, success: first.do, failure };
}
