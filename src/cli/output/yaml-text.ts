import { jsonText } from "./json-text.js";

/** Texts that need no quotes, unless they are one of {@link RESERVED}. */
const PLAIN = /^[A-Za-z_/][\w/.@+:-]*$/;

/** Words that are no strings in YAML 1.1 or 1.2. */
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** Texts that a literal block can have: line ends and tabs are the only control characters. */
const BLOCK =
  /^[^\s\p{Cc}\u2028\u2029\ufeff][^\p{Cc}\u2028\u2029\ufeff]*(?:[\n\t][^\p{Cc}\u2028\u2029\ufeff]*)*$/u;

/** A text as a string of YAML, on one line. */
export function yamlString(text: string): string {
  const isPlain = PLAIN.test(text) && !text.endsWith(":") && !RESERVED.test(text);
  return isPlain ? text : jsonText(text);
}

/**
 * A text as a value in YAML: one line, or a literal block of lines that begin with `indent`, which must
 * be deeper than the key.
 */
export function yamlValue(text: string, indent: string): string {
  if (!text.includes("\n") || !BLOCK.test(text) || !text.isWellFormed()) return yamlString(text);
  const chomping = text.endsWith("\n\n") ? "+" : text.endsWith("\n") ? "" : "-";
  const lines = (chomping === "-" ? text : text.slice(0, -1)).split("\n");
  return [`|${chomping}`, ...lines.map((line) => (line === "" ? "" : indent + line))].join("\n");
}

/** Plain data as lines of YAML. Lists and objects are never deep: a tree is a list of its nodes. */
export function yamlLines(data: unknown, indent = ""): readonly string[] {
  if (Array.isArray(data)) {
    if (data.length === 0) return [`${indent}[]`];
    return data.flatMap((item) => itemLines(item, indent));
  }
  const entries = typeof data === "object" && data !== null ? Object.entries(data) : undefined;
  if (entries === undefined) return [indent + scalar(data, `${indent}  `)];
  if (entries.length === 0) return [`${indent}{}`];
  return entries
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => entryLines(yamlString(name), value, indent));
}

function itemLines(item: unknown, indent: string): readonly string[] {
  const [first = "", ...rest] = yamlLines(item, `${indent}  `);
  return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
}

function entryLines(name: string, value: unknown, indent: string): readonly string[] {
  const isNested = typeof value === "object" && value !== null && Object.keys(value).length > 0;
  if (isNested) return [`${indent}${name}:`, ...yamlLines(value, `${indent}  `)];
  const [text = ""] = Array.isArray(value) || typeof value === "object" ? yamlLines(value) : [];
  return [`${indent}${name}: ${text === "" ? scalar(value, `${indent}  `) : text}`];
}

function scalar(value: unknown, indent: string): string {
  return typeof value === "string" ? yamlValue(value, indent) : JSON.stringify(value);
}
