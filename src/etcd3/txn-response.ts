import { ProtocolError } from "../errors/cluster-errors.js";
import { isObject, type JsonObject } from "../wire/json.js";
import type { V3Response } from "./v3-api.js";
import { readId, readInt64, type V3Header } from "./v3-json.js";

/** A v3 key at one revision. Bytes are base64. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Id of its lease; `0` without a lease. */
  readonly lease: string;
}

/** The response to one operation of a transaction. */
export interface OperationResponse {
  /** The keys of a range, or the previous value of a put or a delete. */
  readonly found: readonly KeyValue[];
  /** Whether the range has more keys than the page. */
  readonly more: boolean;
}

/** The response to a transaction: the executed branch and the responses of its operations. */
export interface TxnResponse extends V3Header {
  readonly endpoint: string;
  /** Position of the executed branch. `undefined`: no branch matched. */
  readonly taken: number | undefined;
  readonly answers: readonly OperationResponse[];
}

/** Reads the response to {@link firstOf} with this number of branches. @throws ProtocolError */
export function readTransaction(response: V3Response, branches: number): TxnResponse {
  const { taken, responses } = findBranch(response.body, branches, 0);
  return responseOf(response, taken, responses.map(readOperation));
}

/** Reads the response to a put. @throws ProtocolError */
export function readPut(response: V3Response): TxnResponse {
  const { prev_kv } = response.body;
  const found = isObject(prev_kv) ? [readKv(prev_kv)] : [];
  return responseOf(response, 0, [{ found, more: false }]);
}

/** Lists the fields, because spreading objects costs a microsecond for each write. */
function responseOf(
  { header, endpoint }: V3Response,
  taken: number | undefined,
  answers: readonly OperationResponse[],
): TxnResponse {
  const { clusterId, revision, raftTerm } = header;
  return { clusterId, revision, raftTerm, endpoint, taken, answers };
}

function findBranch(
  body: JsonObject,
  branches: number,
  position: number,
): { readonly taken: number | undefined; readonly responses: readonly unknown[] } {
  const responses = Array.isArray(body.responses) ? body.responses : [];
  if (position === branches) return { taken: undefined, responses };
  if (body.succeeded === true) return { taken: position, responses };
  if (position + 1 === branches) return { taken: undefined, responses };
  return findBranch(objectIn(responses[0], "response_txn"), branches, position + 1);
}

function readOperation(response: unknown): OperationResponse {
  if (!isObject(response)) throw new ProtocolError("an operation has no response");
  const { response_range: range, response_put: put, response_delete_range: removal } = response;
  if (isObject(range)) return { found: readAll(range.kvs), more: range.more === true };
  if (isObject(put))
    return { found: isObject(put.prev_kv) ? [readKv(put.prev_kv)] : [], more: false };
  if (isObject(removal)) return { found: readAll(removal.prev_kvs), more: false };
  return { found: [], more: false };
}

function readAll(kvs: unknown): readonly KeyValue[] {
  return Array.isArray(kvs) ? kvs.filter(isObject).map(readKv) : [];
}

/** @throws ProtocolError for a revision beyond JavaScript's safe integers */
export function readKv(kv: JsonObject): KeyValue {
  const { key, value, create_revision, mod_revision, lease } = kv;
  return {
    key: typeof key === "string" ? key : "",
    value: typeof value === "string" ? value : "",
    createRevision: readInt64(create_revision, "create_revision"),
    modRevision: readInt64(mod_revision, "mod_revision"),
    lease: readId(lease),
  };
}

function objectIn(value: unknown, field: string): JsonObject {
  const inner = isObject(value) ? value[field] : undefined;
  if (isObject(inner)) return inner;
  throw new ProtocolError(`the response of the v3 API has no ${field}`);
}
