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
  const value: unknown = JSON.parse(text);
  if (suspect && MAYBE_PROTO.test(text)) refuseProto(value);
  return value;
}

/** No recursion, and no reviver, which recurses: a value may be deeper than the stack. */
function refuseProto(value: unknown): void {
  const unchecked = [value];
  while (unchecked.length > 0) {
    const next = unchecked.pop();
    if (typeof next !== "object" || next === null) continue;
    if (Object.hasOwn(next, "__proto__")) throw new SyntaxError("the key __proto__ is refused");
    for (const each of Object.values(next)) unchecked.push(each);
  }
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
