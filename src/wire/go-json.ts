/** What Go's JSON writes differently from JavaScript's, in a text that the latter has written. */
const DIFFERENT = /[<>&\u2028\u2029]|\\[bf]/;
const ESCAPE_OR_DIFFERENT = /\\.|[<>&\u2028\u2029]/g;

/** A value as Go's JSON writes it. */
export function goJson(value: unknown): string {
  const json = JSON.stringify(value);
  return DIFFERENT.test(json) ? json.replace(ESCAPE_OR_DIFFERENT, asGo) : json;
}

function asGo(match: string): string {
  if (match === "\\b") return "\\u0008";
  if (match === "\\f") return "\\u000c";
  return match.length > 1 ? match : `\\u${match.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
