/** Matches text in JavaScript's JSON that Go writes differently. */
const DIFFERENT = /[<>&\u2028\u2029]|\\[bf]/;
/** Text that JSON shows as it is. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/;
const ESCAPE_OR_DIFFERENT = /\\.|[<>&\u2028\u2029]/g;

/** Serializes a value as Go's JSON encoder does. */
export function goJson(value: unknown): string {
  if (typeof value === "string" && PLAIN.test(value)) return `"${value}"`;
  const json = JSON.stringify(value);
  return DIFFERENT.test(json) ? json.replace(ESCAPE_OR_DIFFERENT, asGo) : json;
}

function asGo(match: string): string {
  if (match === "\\b") return "\\u0008";
  if (match === "\\f") return "\\u000c";
  return match.length > 1 ? match : `\\u${match.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
