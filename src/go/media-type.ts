/** The result of Go's `mime.ParseMediaType`: the type, if there is one, and the error, if any. */
export interface MediaType {
  readonly type: string;
  /** The text of Go's error. */
  readonly problem?: string;
}

const TYPE = /^([!#-'*+\-.\dA-Z^-~]+)?(?:(\/)([!#-'*+\-.\dA-Z^-~]+)?)?/;

/**
 * A parameter with the semicolon before it. Its value is a token or a quoted string. A backslash
 * never ends a quoted string, and neither does the character behind it: each text matches in one
 * way only.
 */
const PARAMETER =
  /\s*;\s*([!#-'*+\-.\dA-Z^-~]+)\s*=\s*(?:"(?:\\[^\r\n]|[^"\\\r\n])*"|[!#-'*+\-.\dA-Z^-~]+)/y;

/** No media type is as long: to read one of a megabyte takes a tenth of a second. */
const MAX_LENGTH = 8 * 1024;

/** Reads a `Content-Type` as Go 1.19 does, with which etcd 3.4 is built. */
export function parseMediaType(text: string): MediaType {
  if (text.length > MAX_LENGTH) return { type: "", problem: "mime: invalid media parameter" };
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
