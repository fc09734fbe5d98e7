import { ProtocolError } from "../errors/cluster-errors.js";
import type {
  KeyValue,
  PutResponse,
  ResponseHeader,
  ResponseOp,
  TxnResponse as TxnMessage,
} from "./rpcs.js";
import type { V3Response } from "./v3-api.js";

/** The response to one operation of a transaction. */
export interface OperationResponse {
  /** The keys of a range, or the previous value of a put or a delete. */
  readonly found: readonly KeyValue[];
  /** Whether the range has more keys than the page. */
  readonly more: boolean;
}

/** The response to a transaction: the executed branch and the responses of its operations. */
export interface TxnResponse {
  readonly header: ResponseHeader;
  readonly endpoint: string;
  /** Position of the executed branch. `undefined`: no branch matched. */
  readonly taken: number | undefined;
  readonly answers: readonly OperationResponse[];
}

/** Reads the response to {@link firstOf} with this number of branches. @throws ProtocolError */
export function readTransaction(response: V3Response<TxnMessage>, branches: number): TxnResponse {
  const { message, header, endpoint } = response;
  const { taken, responses } = findBranch(message, branches, 0);
  return { header, endpoint, taken, answers: responses.map(readOperation) };
}

/** Reads the response to a put. */
export function readPut({ message, header, endpoint }: V3Response<PutResponse>): TxnResponse {
  return { header, endpoint, taken: 0, answers: [{ found: listOf(message.prev_kv), more: false }] };
}

function findBranch(
  { succeeded, responses }: TxnMessage,
  branches: number,
  position: number,
): { readonly taken: number | undefined; readonly responses: readonly ResponseOp[] } {
  if (position === branches) return { taken: undefined, responses };
  if (succeeded) return { taken: position, responses };
  if (position + 1 === branches) return { taken: undefined, responses };
  const nested = responses[0]?.response_txn;
  if (nested !== undefined) return findBranch(nested, branches, position + 1);
  throw new ProtocolError("the response of the v3 API has no response_txn");
}

function readOperation(response: ResponseOp): OperationResponse {
  const { response_range: range, response_put: put, response_delete_range: removal } = response;
  if (range !== undefined) return { found: range.kvs, more: range.more };
  return { found: removal?.prev_kvs ?? listOf(put?.prev_kv), more: false };
}

function listOf(kv: KeyValue | undefined): readonly KeyValue[] {
  return kv === undefined ? [] : [kv];
}
