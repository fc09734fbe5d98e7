import { isUtf8 } from "node:buffer";
import { ProtocolError } from "../errors/cluster-errors.js";
import { isObject, type JsonObject } from "../wire/json.js";

/** Encodes text as base64, v3's JSON form of bytes. */
export function toBase64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Decodes base64 as text. `undefined`: not UTF-8. An absent field is empty. */
export function fromBase64(field: unknown): string | undefined {
  if (typeof field !== "string") return "";
  const bytes = Buffer.from(field, "base64");
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

/**
 * Reads a 64-bit number used for arithmetic: a revision, a count, a TTL. In JSON it is text. An
 * absent field is 0.
 *
 * @throws ProtocolError beyond JavaScript's safe integers
 */
export function readInt64(field: unknown, name: string): number {
  if (field === undefined) return 0;
  const number = Number(field);
  if (Number.isSafeInteger(number)) return number;
  throw new ProtocolError(`${name} is not an integer up to 2^53 - 1`);
}

/**
 * Reads a 64-bit id as decimal text, because a number cannot represent it. An absent field is `0`.
 *
 * @throws ProtocolError if it is not a decimal number
 */
export function readId(field: unknown): string {
  if (typeof field !== "string") return "0";
  if (/^-?\d{1,20}$/.test(field)) return field;
  throw new ProtocolError("an id is not a decimal number of 64 bits");
}

/** Converts an id to v2's form: hexadecimal, without padding. */
export function toHexId(decimal: string): string {
  return BigInt.asUintN(64, BigInt(decimal)).toString(16);
}

/** Converts a hexadecimal id to v3's decimal form. */
export function toDecimalId(hex: string): string {
  return BigInt(`0x${hex}`).toString();
}

/** The header of every v3 response. */
export interface V3Header {
  /** Hexadecimal, without padding. */
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

/** The id of the responding member: hexadecimal, without padding. @throws ProtocolError */
export function readMemberId(body: JsonObject): string {
  return toHexId(readId(headerOf(body).member_id));
}

function headerOf({ header }: JsonObject): JsonObject {
  if (isObject(header)) return header;
  throw new ProtocolError("the response of the v3 API has no header");
}
