/** What Go's `mime.ParseMediaType` finds: the type, if any, and why it is content with it or not. */
export interface MediaType {
  readonly type: string;
  /** Go's words. */
  readonly problem?: string;
}

const TOKEN = "[!#$%&'*+\\-.^_`|~\\w]+";
const TYPE = new RegExp(`^(${TOKEN})?(/)?(${TOKEN})?(.*)$`, "s");
/** Within quotes, a backslash is itself unless before one of the characters that need it. */
const QUOTED = '"(?:\\\\[()<>@,;:\\\\"/[\\]?=]|[^"\\r\\n])*"';
const PARAMETER = new RegExp(`^\\s*;\\s*(${TOKEN})\\s*=\\s*(?:${QUOTED}|${TOKEN})`);

/** Reads a `Content-Type` as etcd's Go 1.19 does. */
export function parseMediaType(text: string): MediaType {
  const semicolon = text.indexOf(";");
  const end = semicolon === -1 ? text.length : semicolon;
  const type = text.slice(0, end).trim().toLowerCase();
  const problem = problemOfType(type);
  return problem === undefined ? withParameters(type, text.slice(end)) : { type: "", problem };
}

function problemOfType(text: string): string | undefined {
  const [, first, slash, second, rest] = TYPE.exec(text) ?? [];
  if (first === undefined) return "mime: no media type";
  if (slash === undefined) return rest ? "mime: expected slash after first token" : undefined;
  if (second === undefined) return "mime: expected token after slash";
  return rest ? "mime: unexpected content after media subtype" : undefined;
}

function withParameters(type: string, text: string): MediaType {
  const names = new Set<string>();
  let rest = text.trimStart();
  // One semicolon too many at the end is no mistake.
  while (rest !== "" && rest.trim() !== ";") {
    const [parameter, name] = PARAMETER.exec(rest) ?? [];
    if (parameter === undefined || name === undefined) {
      return { type, problem: "mime: invalid media parameter" };
    }
    const lower = name.toLowerCase();
    if (names.has(lower)) return { type: "", problem: "mime: duplicate parameter name" };
    names.add(lower);
    rest = rest.slice(parameter.length).trimStart();
  }
  return { type };
}
