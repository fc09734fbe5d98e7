import { goQuote } from "./quote.js";

/** The parts of a URL according to Go's parser, as far as peer URLs need them. */
export interface GoUrl {
  /** Lower-case. Empty if absent. */
  readonly scheme: string;
  /** With the port. */
  readonly host: string;
  readonly path: string;
  /** The complete URL as Go formats it. */
  readonly text: string;
}

/** A text is not a URL. The message is Go's. */
export class GoUrlError extends Error {}

const CONTROL = /[^ -~\u0080-\uffff]/;
const SCHEME = /^([a-z][a-z\d+\-.]*):/i;
const AUTHORITY = /^\/\/([^/]*)/;
const USER = /^[\w\-.:~!$&'()*+,;=%@]*$/;
const BAD_ESCAPE = /%(?![\da-f]{2}).{0,2}/i;
/** In a host, only non-ASCII bytes and the percent sign may be escaped. */
const BAD_HOST_ESCAPE = /%(?!25|[89a-f][\da-f]).{0,2}/i;
const NO_HOST_CHARACTER = /[^\w\-.~!$&'()*+,;=:[\]<>"%\u0080-\uffff]/;

/** @throws GoUrlError */
export function parseGoUrl(sent: string): GoUrl {
  const [url = "", ...fragments] = sent.split("#");
  const fragment = fragments.join("#");
  const parsed = withContext(url, () => parse(url));
  withContext(sent, () => checkEscapes(fragment, BAD_ESCAPE));
  return fragment === "" ? parsed : { ...parsed, text: `${parsed.text}#${fragment}` };
}

function withContext<T>(text: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof GoUrlError)) throw error;
    throw new GoUrlError(`parse ${goQuote(text)}: ${error.message}`);
  }
}

function parse(url: string): GoUrl {
  if (CONTROL.test(url)) throw new GoUrlError("net/url: invalid control character in URL");
  if (url.startsWith(":")) throw new GoUrlError("missing protocol scheme");
  const [prefix = "", name = ""] = SCHEME.exec(url) ?? [];
  const scheme = name.toLowerCase();
  const [rest = "", ...query] = url.slice(prefix.length).split("?");
  if (scheme !== "" && !rest.startsWith("/")) return { scheme, host: "", path: "", text: url };
  if (!rest.startsWith("/") && rest.split("/")[0]?.includes(":")) {
    throw new GoUrlError("first path segment in URL cannot contain colon");
  }
  const [slashes = "", authority = ""] = AUTHORITY.exec(rest) ?? [];
  const host = hostOf(authority);
  const path = rest.slice(slashes.length);
  checkEscapes(path, BAD_ESCAPE);
  const shown = [rest.slice(0, slashes.length - host.length), escapeText(host), path].join("");
  return {
    scheme,
    host,
    path,
    text: [scheme && `${scheme}:`, [shown, ...query].join("?")].join(""),
  };
}

function hostOf(authority: string): string {
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  checkHost(host);
  const user = authority.slice(0, Math.max(at, 0));
  if (!USER.test(user)) throw new GoUrlError("net/url: invalid userinfo");
  checkEscapes(user, BAD_ESCAPE);
  return host;
}

function checkHost(host: string): void {
  const bracket = host.startsWith("[");
  const end = host.lastIndexOf(bracket ? "]" : ":");
  if (bracket && end === -1) throw new GoUrlError("missing ']' in host");
  const port = end === -1 ? "" : host.slice(bracket ? end + 1 : end);
  if (!/^(:\d*)?$/.test(port)) throw new GoUrlError(`invalid port ${goQuote(port)} after host`);
  checkEscapes(host, BAD_HOST_ESCAPE);
  const [bad] = NO_HOST_CHARACTER.exec(host) ?? [];
  if (bad !== undefined) throw new GoUrlError(`invalid character ${goQuote(bad)} in host name`);
}

function checkEscapes(text: string, bad: RegExp): void {
  const [found] = bad.exec(text) ?? [];
  if (found !== undefined) throw new GoUrlError(`invalid URL escape ${goQuote(found)}`);
}

function escapeText(host: string): string {
  return host.replace(/[\u0080-\uffff]+/g, encodeURIComponent);
}
