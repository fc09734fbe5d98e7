import { fieldOf } from "../../go/json-fields.js";
import { JsonShapeError } from "../http/json-body.js";

/**
 * A member of an object, as Go reads it: the name is case-insensitive, the last of several is used, and
 * `null` counts as an object. An absent or null member is undefined.
 *
 * @throws JsonShapeError
 */
export function propertyOf(value: unknown, name: string): unknown {
  const { found } = fieldOf(value, name);
  if (found === undefined) throw new JsonShapeError("not an object");
  return found.at(-1) ?? undefined;
}

/** A string; absent and null are read as empty. @throws JsonShapeError */
export function stringOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw new JsonShapeError("not a string");
  return value.toWellFormed();
}

/** A list of strings; null if absent, unlike an empty list. @throws JsonShapeError */
export function stringsOf(value: unknown): readonly string[] | null {
  if (value === undefined) return null;
  if (!Array.isArray(value)) throw new JsonShapeError("not an array");
  return value.map(stringOf);
}
