/** v3's transactions as plain values, in the form of its JSON. */

/** The id by which v3 means: no lease. */
export const NO_LEASE = "0";

/** Keys from `key` up to, but without, `range_end`, in base64 as v3's JSON has them. */
export interface KeyRange {
  readonly key: string;
  readonly range_end: string;
}

/** Operations, or comparisons, that etcd takes in one transaction. */
export const MAX_TXN_OPS = 128;

/** One comparison of a transaction; on a range it must hold for every key in it. */
export type Compare = Readonly<Record<string, string>>;

/** One operation of a transaction. */
export type Operation =
  | { readonly request_put: Readonly<Record<string, string | boolean>> }
  | Read
  | { readonly request_delete_range: Readonly<Record<string, string | boolean>> }
  | { readonly request_txn: Transaction };

/** An operation that changes nothing. */
export interface Read {
  readonly request_range: Readonly<Record<string, string | number | boolean>>;
}

export interface Transaction {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure?: readonly Operation[];
}

/** What to do if the tree is as believed. */
export interface TxnBranch {
  readonly if: readonly Compare[];
  /** The operation that tells what the node was comes first. */
  readonly do: readonly Operation[];
}

export function isPresent(key: string): Compare {
  return { key, result: "GREATER" };
}

/** What is left out of a comparison is v3's default: that the version equals 0. */
export function isAbsent(key: string): Compare {
  return { key };
}

/** Reads the whole range: put it last, behind what is cheap. */
export function isEmpty({ key, range_end }: KeyRange): Compare {
  return { key, range_end };
}

/** Holds for an absent key as well, when `lease` is none. */
export function hasLease(key: string, lease: string): Compare {
  return lease === NO_LEASE ? { key, target: "LEASE" } : { key, target: "LEASE", lease };
}

/** Never holds for an absent key. */
export function hasValue(key: string, value: string): Compare {
  return { key, target: "VALUE", value };
}

export function isAtRevision(key: string, revision: number): Compare {
  return { key, target: "MOD", mod_revision: String(revision) };
}

/** Holds for an absent key as well. */
export function isOlderThan(key: string, revision: number): Compare {
  return { key, target: "MOD", result: "LESS", mod_revision: String(revision) };
}

/** A new content for a key; without a value it keeps the one that it must have. */
export function put(key: string, value: string | undefined, lease: string): Operation {
  const content = value === undefined ? { ignore_value: true } : { value };
  return {
    request_put: { key, ...content, prev_kv: true, ...(lease !== NO_LEASE && { lease }) },
  };
}

/** A record: nobody asks what it was before. */
export function putRecord(key: string, value: string, lease = NO_LEASE): Operation {
  return { request_put: { key, value, ...(lease !== NO_LEASE && { lease }) } };
}

/** Deletes one key and tells what it was. */
export function remove(key: string): Operation {
  return { request_delete_range: { key, prev_kv: true } };
}

export function removeAll({ key, range_end }: KeyRange): Operation {
  return { request_delete_range: { key, range_end } };
}

export function read(key: string, options = {}): Read {
  return { request_range: { key, ...options } };
}

/** Up to `limit` keys of a range, in the order of their bytes. */
export function readPage({ key, range_end }: KeyRange, limit: number, options = {}): Read {
  return { request_range: { key, range_end, limit, ...options } };
}

/** The first key of a range, without its value. */
export function readFirst(range: KeyRange, options = {}): Read {
  return readPage(range, 1, { keys_only: true, ...options });
}

/** The same read as of a revision. */
export function atRevision({ request_range }: Read, revision: number): Read {
  return { request_range: { ...request_range, revision: String(revision) } };
}

/** Carries out the first alternative that holds; `otherwise`, none of them. */
export function firstOf(
  alternatives: readonly TxnBranch[],
  otherwise: readonly Operation[],
): Transaction {
  const [first, ...others] = alternatives;
  if (first === undefined) return { compare: [], success: otherwise };
  const failure = others.length === 0 ? otherwise : [{ request_txn: firstOf(others, otherwise) }];
  return { compare: first.if, success: first.do, failure };
}
