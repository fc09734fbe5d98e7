import { ProtocolError } from "../errors/cluster-errors.js";

/** Parses the text of a response. May throw any error if it cannot. */
export type JsonDeserializer = (text: string) => unknown;

/** `__proto__`, with any of its characters escaped. etcd never escapes them. */
const MAYBE_PROTO = /__proto__|\\u00(?:5f|6f|7[024])/i;

/**
 * Parses JSON and rejects `__proto__` as a key. It is harmless here, but a later copy of the object
 * could change its prototype.
 */
export function readJson(text: string): unknown {
  const mayHaveProto = text.includes("\\u00") || text.includes("__proto__");
  const value: unknown = JSON.parse(text);
  if (mayHaveProto && MAYBE_PROTO.test(text)) rejectProto(value);
  return value;
}

/** Uses no recursion and no reviver, which recurses: a value may be deeper than the stack. */
function rejectProto(value: unknown): void {
  const unchecked = [value];
  while (unchecked.length > 0) {
    const next = unchecked.pop();
    if (typeof next !== "object" || next === null) continue;
    if (Object.hasOwn(next, "__proto__")) throw new SyntaxError("the key __proto__ is not allowed");
    for (const each of Object.values(next)) unchecked.push(each);
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is a count or an index: an exact integer that is not negative. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Parses a response that must be a JSON object. @throws ProtocolError */
export function readObject(
  text: string,
  deserialize: JsonDeserializer,
  origin: string,
): JsonObject {
  let value: unknown;
  try {
    value = deserialize(text);
  } catch (cause) {
    throw new ProtocolError(`${origin}: the response is not valid JSON`, { cause });
  }
  if (!isObject(value)) throw new ProtocolError(`${origin}: the response is not a JSON object`);
  return value;
}
