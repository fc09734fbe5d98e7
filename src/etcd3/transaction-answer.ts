import { ProtocolError } from "../errors/cluster-errors.js";
import { isObject, type JsonObject } from "../wire/json.js";
import type { V3Response } from "./v3-api.js";
import { readHeader, readId, readInt64, type V3Header } from "./v3-json.js";

/** A key of v3 at some revision. Bytes are in base64. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Id of the lease that it hangs on. */
  readonly lease: string;
}

/** What one operation of a transaction answered. */
export interface OperationResponse {
  /** Keys found by a range, or what a put or a delete replaced. */
  readonly found: readonly KeyValue[];
  /** Whether a page ended before its range did. */
  readonly more: boolean;
}

/** A transaction's answer: which alternative was carried out, and what its operations answered. */
export interface TxnResponse extends V3Header {
  readonly endpoint: string;
  /** Number of the alternative; `undefined` when none held. */
  readonly taken: number | undefined;
  readonly answers: readonly OperationResponse[];
}

/** Reads the answer to {@link firstOf} with so many alternatives. @throws ProtocolError */
export function readTransaction({ body, endpoint }: V3Response, alternatives: number): TxnResponse {
  const { taken, responses } = follow(body, alternatives, 0);
  return answerOf(body, endpoint, taken, responses.map(readOperation));
}

/** Reads the answer to a put that replaced something. @throws ProtocolError */
export function readPut({ body, endpoint }: V3Response): TxnResponse {
  const found = isObject(body.prev_kv) ? [readKv(body.prev_kv)] : [];
  return answerOf(body, endpoint, 0, [{ found, more: false }]);
}

/** Written out, as every write comes by: two objects spread into one cost a microsecond. */
function answerOf(
  body: JsonObject,
  endpoint: string,
  taken: number | undefined,
  answers: readonly OperationResponse[],
): TxnResponse {
  const { clusterId, revision, raftTerm } = readHeader(body);
  return { clusterId, revision, raftTerm, endpoint, taken, answers };
}

function follow(
  body: JsonObject,
  alternatives: number,
  number: number,
): { readonly taken: number | undefined; readonly responses: readonly unknown[] } {
  const responses = Array.isArray(body.responses) ? body.responses : [];
  if (number === alternatives) return { taken: undefined, responses };
  if (body.succeeded === true) return { taken: number, responses };
  if (number + 1 === alternatives) return { taken: undefined, responses };
  return follow(objectIn(responses[0], "response_txn"), alternatives, number + 1);
}

function readOperation(response: unknown): OperationResponse {
  if (!isObject(response)) throw new ProtocolError("the v3 API answered an operation with nothing");
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

/** @throws ProtocolError for a revision that JavaScript cannot hold */
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
  throw new ProtocolError(`the v3 API's answer has no ${field}`);
}
