/**
 * The JSON form of messages, which etcd's gateway accepts and returns: the standard JSON mapping of
 * Protocol Buffers, with etcd's field names. Bytes are base64, and 64-bit numbers are decimal text.
 */

import { ProtocolError } from "../errors/cluster-errors.js";
import { isObject, type JsonObject } from "../wire/json.js";
import {
  append,
  type Field,
  isEnum,
  type MessageInit,
  type MessageType,
  naturalNumber,
  requireNesting,
  safeInteger,
  typeOf,
} from "./protobuf/message-type.js";

/** A 64-bit number, with or without a sign. */
const DECIMAL = /^-?\d{1,20}$/;

/** Converts a message to its JSON form. */
export function toJson<Message>(
  type: MessageType<Message>,
  message: MessageInit<Message>,
): JsonObject {
  return objectOf(type, Object(message));
}

/** Reads a message from its JSON form. Unknown fields are ignored. @throws ProtocolError */
export function fromJson<Message>(type: MessageType<Message>, json: JsonObject): Message {
  return readMessage(type, json, 0) as Message;
}

function readMessage(
  type: MessageType<unknown>,
  json: JsonObject,
  nesting: number,
): Record<string, unknown> {
  requireNesting(nesting);
  const message = type.empty();
  for (const name in json) {
    const field = type.field(name);
    const value = json[name];
    if (field === undefined || value === undefined || value === null) continue;
    if (!field.repeated) message[field.name] = readValue(field, value, nesting);
    else if (!Array.isArray(value))
      throw new ProtocolError(`the field ${field.name} is not a list`);
    else for (const item of value) append(message, field, readValue(field, item, nesting));
  }
  return message;
}

function objectOf(type: MessageType<unknown>, message: object): JsonObject {
  const json: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(message)) {
    const field = type.requireField(name);
    if (value === undefined) continue;
    json[name] = field.repeated
      ? value.map((item: unknown) => jsonOf(field, item))
      : jsonOf(field, value);
  }
  return json;
}

function jsonOf({ type }: Field, value: unknown): unknown {
  if (type === "bytes") return base64Of(value);
  if (typeof type === "string" || isEnum(type)) return value;
  return objectOf(typeOf(type), Object(value));
}

function base64Of(value: unknown): string {
  const bytes = value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value));
  return bytes.toString("base64");
}

/** etcd writes 64-bit numbers as text; the standard mapping also allows numbers. */
function isDecimal(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && DECIMAL.test(value));
}

function readValue({ name, type }: Field, value: unknown, nesting: number): unknown {
  switch (type) {
    case "integer":
      if (isDecimal(value)) return safeInteger(value, name);
      break;
    case "natural":
      if (isDecimal(value)) return naturalNumber(value, name);
      break;
    case "flag":
      if (typeof value === "boolean") return value;
      break;
    case "bytes":
      if (typeof value === "string") return Buffer.from(value, "base64");
      break;
    case "text":
      if (typeof value === "string") return value;
      break;
    case "id":
    case "uid":
      if (typeof value === "string" && isDecimal(value)) return value;
      break;
    default:
      if (isEnum(type)) {
        if (type.some((known) => known === value)) return value;
      } else if (isObject(value)) return readMessage(typeOf(type), value, nesting + 1);
  }
  throw new ProtocolError(`the field ${name} has a value of another type`);
}
