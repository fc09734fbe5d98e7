import { isUtf8 } from "node:buffer";
import { ProtocolError } from "../errors/cluster-errors.js";
import { isObject, type JsonObject } from "../wire/json.js";

/** Text as v3 carries bytes in JSON. */
export function toBase64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Bytes that v3 carries in JSON as text; `undefined` for what is not UTF-8. Absent: empty. */
export function fromBase64(field: unknown): string | undefined {
  if (typeof field !== "string") return "";
  const bytes = Buffer.from(field, "base64");
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

/**
 * A number of 64 bits that is used as one: a revision, a count, a TTL. It travels as text; absent
 * it is 0.
 *
 * @throws ProtocolError for one that JavaScript cannot hold
 */
export function readInt64(field: unknown, name: string): number {
  if (field === undefined) return 0;
  const number = Number(field);
  if (Number.isSafeInteger(number)) return number;
  throw new ProtocolError(`${name} is no number, or beyond 2^53 - 1`);
}

/**
 * An id of 64 bits, in decimal: never a number, as that could not hold it. Absent it is `0`.
 *
 * @throws ProtocolError for text that is no decimal number
 */
export function readId(field: unknown): string {
  if (typeof field !== "string") return "0";
  if (/^-?\d{1,20}$/.test(field)) return field;
  throw new ProtocolError("an id is no decimal number of 64 bits");
}

/** An id of 64 bits as v2 writes it: hexadecimal, not padded. */
export function toHexId(decimal: string): string {
  return BigInt.asUintN(64, BigInt(decimal)).toString(16);
}

/** An id in hexadecimal as v3 takes it. */
export function toDecimalId(hex: string): string {
  return BigInt(`0x${hex}`).toString();
}

/** What every answer of v3 begins with. */
export interface V3Header {
  /** Hexadecimal, not padded. */
  readonly clusterId: string;
  readonly revision: number;
  readonly raftTerm: number;
}

/** @throws ProtocolError */
export function readHeader(body: JsonObject): V3Header {
  const header = headerOf(body);
  return {
    clusterId: toHexId(readId(header.cluster_id)),
    revision: readInt64(header.revision, "revision"),
    raftTerm: readInt64(header.raft_term, "raft_term"),
  };
}

/** The member that answered, in hexadecimal, not padded. @throws ProtocolError */
export function readMemberId(body: JsonObject): string {
  return toHexId(readId(headerOf(body).member_id));
}

function headerOf({ header }: JsonObject): JsonObject {
  if (isObject(header)) return header;
  throw new ProtocolError("the answer of the v3 API has no header");
}
