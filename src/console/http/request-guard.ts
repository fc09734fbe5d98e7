import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { isLoopback } from "../../server/http/loopback.js";

/** Longer ones are no host names with a port. */
const MAX_HOST_CHARS = 300;

/** Why a request is refused. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/**
 * Decides which requests are served. With DNS rebinding, a page of another site lets its own name resolve to
 * this address: the browser then sends that name as `Host`. A page of another origin sends its `Origin`, or
 * browsers say so in `Sec-Fetch-Site`.
 */
export class RequestGuard {
  readonly #hosts: ReadonlySet<string>;

  /** @param hosts names, without ports, that clients may use besides IP addresses and localhost */
  constructor(hosts: readonly string[]) {
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()));
  }

  /** `isApi`: whether the request is for data. A link of another site may only lead to the page itself. */
  refusal({ headers, method }: IncomingMessage, isApi: boolean): Refusal | undefined {
    const { host = "", origin, "sec-fetch-site": site, "sec-fetch-mode": mode } = headers;
    if (!this.#isKnown(host)) {
      const advice = "if it is a name of this console, start it with the name in --allowed-hosts";
      return { status: 421, message: `unknown host name; ${advice}` };
    }
    const isOwnOrigin = origin === undefined || isOriginOf(origin, host);
    const isOwnSite = site === undefined || site === "same-origin" || site === "none";
    const isLink = !isApi && method === "GET" && mode === "navigate";
    if (isOwnOrigin && (isOwnSite || isLink)) return undefined;
    return { status: 403, message: "pages of other origins may not use the console" };
  }

  #isKnown(host: string): boolean {
    if (host === "" || host.length > MAX_HOST_CHARS) return false;
    const name = host
      .replace(/:\d*$/, "")
      .replace(/^\[(.*)\]$/, "$1")
      .replace(/\.$/, "")
      .toLowerCase();
    return isIP(name) !== 0 || isLoopback(name) || this.#hosts.has(name);
  }
}

/** Compares hosts only: a proxy may terminate TLS. */
function isOriginOf(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}
