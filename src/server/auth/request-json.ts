import { fieldOf } from "../../go/json-fields.js";

/** JSON that is not of the expected shape. Quotes nothing of it: it may hold a password. */
export class JsonShapeError extends Error {}

/**
 * A member of what Go takes for an object, `null` included: found whatever its case, and the last
 * of several. Absent and null are the same.
 *
 * @throws JsonShapeError
 */
export function memberOf(value: unknown, name: string): unknown {
  const { found } = fieldOf(value, name);
  if (found === undefined) throw new JsonShapeError("not an object");
  return found.at(-1) ?? undefined;
}

/** Text; absent and null read as empty. @throws JsonShapeError */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw new JsonShapeError("not a string");
  return value.toWellFormed();
}

/** Texts; what is absent is told from an empty list. @throws JsonShapeError */
export function textsOf(value: unknown): readonly string[] | null {
  if (value === undefined) return null;
  if (!Array.isArray(value)) throw new JsonShapeError("not an array");
  return value.map(textOf);
}
