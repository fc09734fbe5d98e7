import { goQuote } from "../go/quote.js";

/** Parameters by name. The first one of each name counts. */
export type Form = ReadonlyMap<string, string>;

/** A query or form is invalid. The message is etcd's. */
export class FormError extends Error {}

/** The limit of newer Go releases. */
const MAX_PARAMETERS = 10_000;

const BAD_ESCAPE = /%(?![\da-f]{2}).{0,2}/is;

/**
 * Reads parameters. Those of the body precede those of the query. The first one of each name
 * counts.
 *
 * @throws FormError for an unescaped semicolon, a bad escape, bytes that are not UTF-8, or more
 *   than 10,000 parameters
 */
export function readForm(body: string, query: string): Form {
  const form = new Map<string, string>();
  for (const text of [body, query]) {
    if (text === "") continue;
    if (text.includes(";")) throw new FormError("invalid semicolon separator in query");
    const pairs = text.split("&", MAX_PARAMETERS + 1);
    if (pairs.length > MAX_PARAMETERS) {
      throw new FormError("number of URL query parameters exceeded limit");
    }
    for (const pair of pairs) {
      if (pair === "") continue;
      const equals = pair.indexOf("=");
      const name = decodeComponent(equals === -1 ? pair : pair.slice(0, equals));
      const value = equals === -1 ? "" : decodeComponent(pair.slice(equals + 1));
      if (!form.has(name)) form.set(name, value);
    }
  }
  return form;
}

function decodeComponent(text: string): string {
  if (!/[%+]/.test(text)) return text;
  if (BAD_ESCAPE.test(text)) throw new FormError(`invalid URL escape ${badEscapeOf(text)}`);
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new FormError("not valid UTF-8");
  }
}

/** Go's message quotes the percent sign and the two bytes (not characters) that follow. */
function badEscapeOf(text: string): string {
  const [bytes = ""] = BAD_ESCAPE.exec(Buffer.from(text).toString("latin1")) ?? [];
  const shown = Buffer.from(bytes, "latin1").toString();
  return shown.includes("\ufffd") ? `"${quoteBytes(bytes)}"` : goQuote(shown);
}

/** Quotes bytes that may contain parts of characters. */
function quoteBytes(bytes: string): string {
  const hex = (byte: string): string => `\\x${byte.charCodeAt(0).toString(16)}`;
  return bytes
    .split(/([\x80-\xff])/)
    .map((part, index) => (index % 2 === 1 ? hex(part) : goQuote(part).slice(1, -1)))
    .join("");
}
