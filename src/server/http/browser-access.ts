import { isIP } from "node:net";
import { OptionError } from "../../errors/option-error.js";
import { isLoopback } from "./loopback.js";
import { type HeaderList, plainError, type ServerReply, type ServerRequest } from "./message.js";

/** Access of web pages. */
export interface BrowserOptions {
  /**
   * Origins whose web pages may read and write keys, such as `https://ui.example:8443`; `*`: all.
   * Pages of other origins can never change members, auth or the log level.
   *
   * @default none: pages of other origins can neither read nor write
   */
  readonly cors?: readonly string[] | undefined;
  /**
   * Host names, without ports, that clients without TLS may use for this server; `*`: all. IP addresses,
   * `localhost`, `*.localhost`, and the names in `advertise` and `host` are always accepted. Requests with
   * another name in `Host` are refused with 421: always if the server listens on a loopback address, else
   * when a header shows that a browser sends the request (`Origin`, `Sec-Fetch-Site`).
   *
   * @default none
   */
  readonly allowedHosts?: readonly string[] | undefined;
}

/** Also contains the options whose host names are known. */
export interface BrowserAccessOptions extends BrowserOptions {
  readonly advertise?: readonly string[] | undefined;
  /** Address that the server listens on. */
  readonly host?: string | undefined;
}

const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** The CORS headers that etcd sends. */
const ALLOWED: HeaderList = [
  ...["Access-Control-Allow-Headers", "accept, content-type, authorization"],
  ...["Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE"],
  "Access-Control-Allow-Origin",
];

/** Maximum length of an origin: a scheme, a DNS name and a port are shorter. Parsing a longer text takes time. */
const MAX_ORIGIN_CHARS = 300;

const UNKNOWN_HOST =
  "Unknown host name: if it is a name of this server, start the server with it in --allowed-hosts (option allowedHosts).";
const UNKNOWN_ORIGIN =
  "Web pages of this origin may not write: to allow them, start the server with the origin in --cors (option cors).";
const KEYS_ONLY = "Web pages of other origins may change only keys.";

/**
 * Decides which requests of browsers are served. A page can send many requests without a CORS preflight,
 * so the request itself must be refused: CORS headers only keep a page from reading responses.
 */
export class BrowserAccess {
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;
  readonly #isLocal: boolean;
  /** The value of `Host` that was found to be known last: most requests have the same one. */
  #known: string | undefined;

  /** @throws TypeError naming the option */
  constructor({ cors = [], allowedHosts = [], advertise = [], host }: BrowserAccessOptions) {
    this.#origins = new Set(cors.map(checkedOrigin));
    const advertised = advertise.map((url) => hostName(new URL(url).hostname));
    const listening = host === undefined ? [] : [hostName(host)];
    this.#hosts = new Set([...allowedHosts.map(checkedHost), ...advertised, ...listening]);
    this.#isLocal = host !== undefined && isLoopback(host);
  }

  /** CORS headers of the response; only an origin that may read it gets them. */
  headersFor({ headers: { origin } }: ServerRequest): HeaderList {
    if (this.#origins.has("*")) return [...ALLOWED, "*"];
    if (this.#origins.size === 0) return [];
    const vary = ["Vary", "Origin"];
    return origin !== undefined && this.#origins.has(origin) ? [...ALLOWED, origin, ...vary] : vary;
  }

  /**
   * The response to a request for an unknown host; undefined if the host is known. With DNS rebinding, a
   * page lets the name of its own site resolve to this server, which the browser then treats as the
   * page's own origin.
   */
  hostRefusal(request: ServerRequest): ServerReply | undefined {
    const { headers } = request;
    const { host } = headers;
    if (!host || host === this.#known || this.#hosts.has("*")) return undefined;
    const isBrowser = headers.origin !== undefined || headers["sec-fetch-site"] !== undefined;
    if (!(this.#isLocal || isBrowser)) return undefined;
    if (this.#isKnown(host)) {
      this.#known = host;
      return undefined;
    }
    // TLS is safe from rebinding: the certificate is not valid for the name of the page's site.
    return request.serverUrl?.startsWith("https:") ? undefined : plainError(421, UNKNOWN_HOST);
  }

  #isKnown(host: string): boolean {
    if (host.length > MAX_ORIGIN_CHARS) return false;
    const name = hostName(host);
    return isIP(name) !== 0 || isLoopback(name) || this.#hosts.has(name);
  }

  /** The response to a write from a page of another origin; undefined if it is allowed. */
  writeRefusal({ method, headers }: ServerRequest, path: string): ServerReply | undefined {
    if (READS.has(method) || !isCrossOrigin(headers)) return undefined;
    if (!/^\/v2\/keys(?:\/|$)/.test(path)) return plainError(403, KEYS_ONLY);
    if (this.#origins.has("*") || this.#origins.has(headers.origin ?? "")) return undefined;
    return plainError(403, UNKNOWN_ORIGIN);
  }
}

/** Whether the request comes from a page of another origin. Only browsers send an origin. */
function isCrossOrigin({ origin, host = "", ...headers }: ServerRequest["headers"]): boolean {
  const site = headers["sec-fetch-site"];
  if (origin === undefined) return site === "cross-site" || site === "same-site";
  if (origin.length + host.length > 2 * MAX_ORIGIN_CHARS) return true;
  const scheme = /^https?:\/\//.exec(origin)?.[0];
  // The origin of a file, a sandbox or an extension.
  if (scheme === undefined || !URL.canParse(origin)) return true;
  // Compares hosts only: a proxy may terminate TLS, so the scheme of the connection may differ.
  const own = `${scheme}${host}`;
  return !URL.canParse(own) || new URL(own).host !== new URL(origin).host;
}

/** The name in a `Host` header, without port and brackets. */
function hostName(host: string): string {
  return host
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "")
    .toLowerCase();
}

function checkedOrigin(text: string): string {
  const isOrigin = /^[a-z][a-z\d+.-]*:\/\/[^/?#@\s]+\/?$/i.test(text) && URL.canParse(text);
  if (text !== "*" && !isOrigin) {
    throw new OptionError("cors", `"${text}" must be an origin such as https://ui.example, or *`);
  }
  return /^https?:/i.test(text) ? new URL(text).origin : text;
}

function checkedHost(text: string): string {
  if (text === "*") return text;
  const url = `http://${text}`;
  if (/^[^\s/?#@:[\]\\]+$/.test(text) && URL.canParse(url)) return hostName(new URL(url).hostname);
  throw new OptionError("allowedHosts", `"${text}" must be a host name without a port, or *`);
}
