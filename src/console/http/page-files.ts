import { readdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Nothing but the files of the page runs, and nothing is loaded from elsewhere. Trusted types make the browser
 * refuse each attempt to interpret a text as HTML.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** Sent with every response. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
};

/** The files of the page, read once. No other file can be requested. */
export class PageFiles {
  readonly #files: ReadonlyMap<string, { readonly type: string; readonly body: Buffer }>;

  /**
   * @param folder default: where the build puts the page, as seen from the bundle of the command line
   * @throws Error when it has no page, as in the single executable
   */
  constructor(folder?: URL) {
    try {
      const path = fileURLToPath(folder ?? new URL("../console/", import.meta.url));
      const names = readdirSync(path).filter((name) => extname(name) in TYPES);
      this.#files = new Map(
        names.map((name) => [
          name === "index.html" ? "/" : `/${name}`,
          { type: TYPES[extname(name)] ?? "", body: readFileSync(join(path, name)) },
        ]),
      );
    } catch (cause) {
      throw new Error("the files of the console are not here; use the package etcdnet of npm", {
        cause,
      });
    }
  }

  /** @returns whether there is such a file */
  send(path: string, response: ServerResponse): boolean {
    const file = this.#files.get(path);
    if (file === undefined) return false;
    // The names do not change with the content.
    response.writeHead(200, { "Content-Type": file.type, "Cache-Control": "no-cache" });
    response.end(file.body);
    return true;
  }
}
