import { DamagedRecordError } from "../../../errors/v3-errors.js";
import type { KeyValue } from "../../../etcd3/rpcs.js";
import { isObject, type JsonObject } from "../../../wire/json.js";
import { utf8TextOf } from "./key-schema.js";

/**
 * What became of a write:
 * - `applied`: the transaction that wrote the record also carried out the write.
 * - `refused`: the tree did not allow the write, and no later attempt may carry it out.
 * - `abandoned`: the attempts so far have changed nothing, and never will.
 */
export type WriteOutcome =
  | { readonly kind: "applied"; readonly path?: string | undefined }
  | { readonly kind: "refused"; readonly errorCode: number; readonly cause: string }
  | { readonly kind: "abandoned" };

/** The value of an idempotency record. */
export interface IdempotencyRecord {
  /** Fingerprint of the request, if the caller has chosen the idempotency key. */
  readonly request?: string | undefined;
  readonly outcome: WriteOutcome;
}

/** Encodes the record as a v3 value. An applied write is the shortest one. */
export function encodeIdempotencyRecord({ request, outcome }: IdempotencyRecord): string {
  const { kind, ...details } = outcome;
  return JSON.stringify({ request, ...(kind !== "applied" && { kind }), ...details });
}

/** @throws DamagedRecordError when this library did not write it */
export function decodeIdempotencyRecord({ key, value }: KeyValue): IdempotencyRecord {
  const fields = readObject(value);
  const outcome = fields && outcomeOf(fields);
  const { request } = fields ?? {};
  if (outcome === undefined || (request !== undefined && typeof request !== "string")) {
    const remedy = "delete it, or use another idempotencyKey; it says what became of a write";
    throw new DamagedRecordError(key.toString(), remedy);
  }
  return { request, outcome };
}

function outcomeOf({ kind, path, errorCode, cause }: JsonObject): WriteOutcome | undefined {
  if (kind === "abandoned") return { kind };
  if (kind === "refused" && typeof errorCode === "number" && typeof cause === "string") {
    return { kind, errorCode, cause };
  }
  const hasPath = path === undefined || typeof path === "string";
  return kind === undefined && hasPath ? { kind: "applied", path } : undefined;
}

function readObject(value: Buffer): JsonObject | undefined {
  try {
    const record: unknown = JSON.parse(utf8TextOf(value) ?? "");
    return isObject(record) ? record : undefined;
  } catch {
    return undefined;
  }
}
