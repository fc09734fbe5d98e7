import { isIP } from "node:net";
import { isLoopback } from "./loopback.js";
import { type HeaderList, plainError, type ServerReply, type ServerRequest } from "./message.js";

/** What web pages may do. */
export interface BrowserOptions {
  /**
   * Origins whose web pages may read and write keys, such as `https://ui.example:8443`; `*`: all.
   * Membership, auth and the log level are changed from no other origin.
   *
   * @default none: pages of other origins read nothing and write nothing
   */
  readonly cors?: readonly string[] | undefined;
  /**
   * Host names, without ports, at which clients may ask without TLS; `*`: all. IP addresses, `localhost`,
   * `*.localhost`, and the names in `advertise` and `host` are always accepted. Other names in `Host`
   * are refused with 421: on a loopback address always, elsewhere when the request shows that a
   * browser sends it (`Origin`, `Sec-Fetch-Site`).
   *
   * @default none
   */
  readonly allowedHosts?: readonly string[] | undefined;
}

/** The same, with what else decides which hosts are known. */
export interface BrowserAccessOptions extends BrowserOptions {
  readonly advertise?: readonly string[] | undefined;
  /** Address that the server listens on. */
  readonly host?: string | undefined;
}

const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** etcd's headers. */
const ALLOWED: HeaderList = [
  ...["Access-Control-Allow-Headers", "accept, content-type, authorization"],
  ...["Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE"],
  "Access-Control-Allow-Origin",
];

/** Characters of a scheme, a host name of DNS and a port; longer texts cost time and name nobody. */
const MAX_LENGTH = 300;

const UNKNOWN_HOST =
  "This host name is unknown here: if it is the server's own, start the server with it in --allowed-hosts (option allowedHosts).";
const UNKNOWN_ORIGIN =
  "Web pages of this origin may not write: to let them, start the server with the origin in --cors (option cors).";
const KEYS_ONLY = "Web pages of other origins may change nothing but keys.";

/**
 * Decides which requests of browsers are served. A page can send many requests without asking first,
 * so that a refusal must be the answer itself: headers only keep a page from reading answers.
 */
export class BrowserAccess {
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;
  readonly #isLocal: boolean;

  /** @throws TypeError naming the option */
  constructor({ cors = [], allowedHosts = [], advertise = [], host }: BrowserAccessOptions) {
    this.#origins = new Set(cors.map(checkedOrigin));
    const advertised = advertise.map((url) => hostName(new URL(url).hostname));
    const listening = host === undefined ? [] : [hostName(host)];
    this.#hosts = new Set([...allowedHosts.map(checkedHost), ...advertised, ...listening]);
    this.#isLocal = host !== undefined && isLoopback(host);
  }

  /** CORS headers of the answer, none unless the origin may read it. */
  headersFor({ headers: { origin } }: ServerRequest): HeaderList {
    if (this.#origins.has("*")) return [...ALLOWED, "*"];
    if (this.#origins.size === 0) return [];
    const vary = ["Vary", "Origin"];
    return origin !== undefined && this.#origins.has(origin) ? [...ALLOWED, origin, ...vary] : vary;
  }

  /**
   * The answer to a request for an unknown host. By DNS rebinding, a page has the name of its own
   * site lead to this server, which then counts as the page's own origin.
   */
  hostRefusal({ headers, serverUrl }: ServerRequest): ServerReply | undefined {
    const { host } = headers;
    // A certificate is not valid for the name of somebody else.
    if (!host || serverUrl?.startsWith("https:") || this.#hosts.has("*")) return undefined;
    const isBrowser = headers.origin !== undefined || headers["sec-fetch-site"] !== undefined;
    if (!(this.#isLocal || isBrowser)) return undefined;
    if (host.length > MAX_LENGTH) return plainError(421, UNKNOWN_HOST);
    const name = hostName(host);
    if (isIP(name) !== 0 || isLoopback(name) || this.#hosts.has(name)) return undefined;
    return plainError(421, UNKNOWN_HOST);
  }

  /** The answer to a request of another origin's page that would change something. */
  writeRefusal({ method, headers }: ServerRequest, path: string): ServerReply | undefined {
    if (READS.has(method) || !isCrossOrigin(headers)) return undefined;
    if (!/^\/v2\/keys(?:\/|$)/.test(path)) return plainError(403, KEYS_ONLY);
    if (this.#origins.has("*") || this.#origins.has(headers.origin ?? "")) return undefined;
    return plainError(403, UNKNOWN_ORIGIN);
  }
}

/** Whether the request comes from a page of another origin. Programs that are no browsers name none. */
function isCrossOrigin({ origin, host = "", ...headers }: ServerRequest["headers"]): boolean {
  const site = headers["sec-fetch-site"];
  if (origin === undefined) return site === "cross-site" || site === "same-site";
  if (origin.length + host.length > 2 * MAX_LENGTH) return true;
  const scheme = /^https?:\/\//.exec(origin)?.[0];
  // Of a file, a sandbox or an extension.
  if (scheme === undefined || !URL.canParse(origin)) return true;
  // A proxy may end TLS: the scheme of the connection tells nothing, and the port may be implied.
  const own = `${scheme}${host}`;
  return !URL.canParse(own) || new URL(own).host !== new URL(origin).host;
}

/** Of a `Host` header: without port and brackets. */
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
    throw new TypeError(`cors: "${text}" must be an origin such as https://ui.example, or *`);
  }
  return /^https?:/i.test(text) ? new URL(text).origin : text;
}

function checkedHost(text: string): string {
  if (text === "*") return text;
  const url = `http://${text}`;
  if (/^[^\s/?#@:[\]\\]+$/.test(text) && URL.canParse(url)) return hostName(new URL(url).hostname);
  throw new TypeError(`allowedHosts: "${text}" must be a host name without a port, or *`);
}
