import { ProtocolError } from "../errors/cluster-errors.js";
import type {
  KeyValue,
  PutResponse,
  RangeRequest,
  ResponseHeader,
  ResponseOp,
  TxnResponse,
} from "./rpcs.js";
import type { Read } from "./transaction.js";
import type { V3Response } from "./v3-api.js";

/** The result of one operation of a transaction. */
export interface OperationResult {
  /** The keys of a range, or the previous value of a put or a delete. */
  readonly kvs: readonly KeyValue[];
  /** Whether the range has more keys than the page. */
  readonly more: boolean;
}

/** The result of a transaction: the executed branch, and the results of its operations. */
export interface TxnResult {
  readonly header: ResponseHeader;
  readonly endpoint: string;
  /** Position of the executed branch. `undefined`: no branch matched. */
  readonly branch: number | undefined;
  readonly results: readonly OperationResult[];
}

/** Reads the response to {@link firstOf} with this number of branches. @throws ProtocolError */
export function readTxnResult(response: V3Response<TxnResponse>, branches: number): TxnResult {
  const { message, header, endpoint } = response;
  const { branch, responses } = findBranch(message, branches, 0);
  return { header, endpoint, branch, results: responses.map(readOperation) };
}

/** Reads the response to a put. */
export function readPutResult({ message, header, endpoint }: V3Response<PutResponse>): TxnResult {
  return { header, endpoint, branch: 0, results: [{ kvs: listOf(message.prev_kv), more: false }] };
}

/**
 * Checks that a server returned only keys that were read, in byte order. It must not present one key as another,
 * and must not make the pages of a range endless.
 *
 * @throws ProtocolError
 */
export function checkReads(reads: readonly Read[], results: readonly OperationResult[]): void {
  for (const [at, { request_range: range }] of reads.entries()) {
    const result = results[at];
    if (result === undefined || isResultOf(range, result)) continue;
    throw new ProtocolError("the keys in the response of the v3 API are not those that were read");
  }
}

/** Without `range_end`, a range is one key. */
function isResultOf(
  { key: first = "", range_end: end }: RangeRequest,
  { kvs, more }: OperationResult,
): boolean {
  let last: Buffer = Buffer.from(first);
  if (end === undefined) return kvs.every(({ key }) => key.equals(last));
  for (const { key } of kvs) {
    if (last.compare(key) > 0) return false;
    last = key;
  }
  return kvs.length === 0 ? !more : last.compare(Buffer.from(end)) < 0;
}

function findBranch(
  { succeeded, responses }: TxnResponse,
  branches: number,
  position: number,
): { readonly branch: number | undefined; readonly responses: readonly ResponseOp[] } {
  if (position === branches) return { branch: undefined, responses };
  if (succeeded) return { branch: position, responses };
  if (position + 1 === branches) return { branch: undefined, responses };
  const nested = responses[0]?.response_txn;
  if (nested !== undefined) return findBranch(nested, branches, position + 1);
  throw new ProtocolError("the response of the v3 API has no response_txn");
}

function readOperation(response: ResponseOp): OperationResult {
  const { response_range: range, response_put: put, response_delete_range: removal } = response;
  if (range !== undefined) return { kvs: range.kvs, more: range.more };
  return { kvs: removal?.prev_kvs ?? listOf(put?.prev_kv), more: false };
}

function listOf(kv: KeyValue | undefined): readonly KeyValue[] {
  return kv === undefined ? [] : [kv];
}
