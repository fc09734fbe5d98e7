import { ProtocolError } from "../errors/cluster-errors.js";

/** Turns the text of an answer into a value; throws what it likes on text it cannot read. */
export type JsonDeserializer = (text: string) => unknown;

/** `__proto__`, also with any of its characters escaped, which etcd never does. */
const MAYBE_PROTO = /__proto__|\\u00(?:5f|6f|7[024])/i;

/**
 * Reads JSON, refusing `__proto__` as a key: on its own it is harmless, but a later copy of the
 * object could be poisoned by it.
 */
export function readJson(text: string): unknown {
  const suspect = text.includes("\\u00") || text.includes("__proto__");
  return suspect && MAYBE_PROTO.test(text) ? JSON.parse(text, refuseProto) : JSON.parse(text);
}

function refuseProto(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new SyntaxError("the key __proto__ is refused");
  return value;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Deserializes an answer, which must be an object. */
export function readObject(
  text: string,
  deserialize: JsonDeserializer,
  origin: string,
): JsonObject {
  let value: unknown;
  try {
    value = deserialize(text);
  } catch (cause) {
    throw new ProtocolError(`${origin}: the answer is not readable JSON`, { cause });
  }
  if (!isObject(value)) throw new ProtocolError(`${origin}: the answer is not a JSON object`);
  return value;
}
