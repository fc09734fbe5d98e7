const NAMED: ReadonlyMap<string, string> = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

/** All characters except visible ones and the space, and those with a named escape. */
const ESCAPED = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]|[\\"]/gu;

/** Quotes a text with double quotes, like Go's `%q`. */
export function goQuote(text: string): string {
  return `"${text.replace(ESCAPED, escapeOf)}"`;
}

/** Quotes one character with single quotes, like Go's JSON errors. */
export function goQuoteCharacter(character: string): string {
  if (character === "'") return "'\\''";
  if (character === '"') return "'\"'";
  return `'${goQuote(character).slice(1, -1)}'`;
}

function escapeOf(character: string): string {
  const named = NAMED.get(character);
  if (named !== undefined) return named;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, "0")}`;
  return code > 0xffff ? `\\U${hex.padStart(8, "0")}` : `\\u${hex.padStart(4, "0")}`;
}
