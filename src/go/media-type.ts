/** The result of Go's `mime.ParseMediaType`: the type (empty if invalid) and the error, if any. */
export interface MediaType {
  readonly type: string;
  /** Go's error message. */
  readonly problem?: string;
}

const TYPE = /^([!#-'*+\-.\dA-Z^-~]+)?(?:(\/)([!#-'*+\-.\dA-Z^-~]+)?)?/;

/**
 * A parameter with the preceding semicolon. The value is a token or a quoted string. Neither a
 * backslash nor the character after it ends a quoted string, so each text matches in only one way.
 */
const PARAMETER =
  /\s*;\s*([!#-'*+\-.\dA-Z^-~]+)\s*=\s*(?:"(?:\\[^\r\n]|[^"\\\r\n])*"|[!#-'*+\-.\dA-Z^-~]+)/y;

/** Longer than any media type. Parsing one of a megabyte would take a tenth of a second. */
const MAX_CHARS = 8 * 1024;

/** Parses a `Content-Type` like Go 1.19, which etcd 3.4 is built with. */
export function parseMediaType(text: string): MediaType {
  if (text.length > MAX_CHARS) return { type: "", problem: "mime: invalid media parameter" };
  const semicolon = text.indexOf(";");
  const end = semicolon === -1 ? text.length : semicolon;
  const type = text.slice(0, end).trim().toLowerCase();
  const problem = problemOfType(type);
  return problem === undefined ? withParameters(type, text, end) : { type: "", problem };
}

function problemOfType(text: string): string | undefined {
  const [found = "", first, slash, second] = TYPE.exec(text) ?? [];
  const hasMore = found.length < text.length;
  if (first === undefined) return "mime: no media type";
  if (slash === undefined) return hasMore ? "mime: expected slash after first token" : undefined;
  if (second === undefined) return "mime: expected token after slash";
  return hasMore ? "mime: unexpected content after media subtype" : undefined;
}

function withParameters(type: string, text: string, start: number): MediaType {
  const names = new Set<string>();
  for (let at = start; at < text.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at;
    const [, name] = PARAMETER.exec(text) ?? [];
    if (name === undefined) {
      const rest = text.slice(at).trim();
      // Go accepts one extra semicolon at the end.
      if (rest === "" || rest === ";") break;
      return { type, problem: "mime: invalid media parameter" };
    }
    const lower = name.toLowerCase();
    if (names.has(lower)) return { type: "", problem: "mime: duplicate parameter name" };
    names.add(lower);
  }
  return { type };
}
