import { GoJsonScanner } from "./json-scanner.js";

/** The result of reading one field where Go expects an object. */
export type GoField =
  | { readonly found: readonly unknown[] }
  | { readonly found: undefined; readonly kind: GoKind };

/** Kind of a JSON value, with Go's name. */
export type GoKind = "null" | "bool" | "number" | "string" | "array" | "object";

/**
 * Parses the first JSON value of a text and ignores the rest, like Go's decoder.
 *
 * @throws GoJsonError
 */
export function readFirstJson(text: string): unknown {
  return JSON.parse(text.slice(0, new GoJsonScanner(text).endOfValue()));
}

/** Parses a text that is exactly one JSON value. @throws GoJsonError */
export function readWholeJson(text: string): unknown {
  const scanner = new GoJsonScanner(text);
  scanner.endOfValue();
  scanner.requireEnd();
  return JSON.parse(text);
}

/** Values that Go assigns to a field. Names match in any case, and the last one counts. */
export function fieldOf(value: unknown, name: string): GoField {
  if (value === null) return { found: [] };
  if (typeof value !== "object" || Array.isArray(value)) {
    return { found: undefined, kind: kindOf(value) };
  }
  const matching = Object.entries(value).filter(
    ([key]) => key.toLowerCase() === name.toLowerCase(),
  );
  return { found: matching.map(([, each]) => each) };
}

export function kindOf(value: unknown): GoKind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "number";
  return typeof value === "string" ? "string" : "object";
}
