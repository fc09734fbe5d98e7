import { GoJsonScanner } from "./json-scanner.js";

/** What JSON holds where Go expects an object, of which it reads one field. */
export type GoField =
  | { readonly found: readonly unknown[] }
  | { readonly found: undefined; readonly kind: GoKind };

/** A kind of JSON value by Go's name for it. */
export type GoKind = "null" | "bool" | "number" | "string" | "array" | "object";

/**
 * Reads the first JSON value of a text, ignoring what follows, as Go's decoder does.
 *
 * @throws GoJsonError
 */
export function readFirstJson(text: string): unknown {
  return JSON.parse(text.slice(0, new GoJsonScanner(text).endOfValue()));
}

/** Reads a text that is one JSON value. @throws GoJsonError */
export function readWholeJson(text: string): unknown {
  const scanner = new GoJsonScanner(text);
  scanner.endOfValue();
  scanner.requireEnd();
  return JSON.parse(text);
}

/** Values that Go puts into a field: names match in whatever case, the last one counts. */
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
