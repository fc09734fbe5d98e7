import { isLoopback } from "../../server/http/loopback.js";

interface Listening {
  readonly host?: string;
  readonly tls?: object;
  readonly rootPassword?: string;
}

/**
 * Warns when other machines can connect without auth or without TLS, and names the options that prevent
 * this.
 */
export function warnIfOpen(
  { host = "127.0.0.1", tls, rootPassword }: Listening,
  remedies: { readonly tls: string; readonly auth: string },
): void {
  const missing: string[] = [];
  if (tls === undefined) missing.push(`TLS (${remedies.tls})`);
  if (rootPassword === undefined) missing.push(`auth (${remedies.auth})`);
  if (isLoopback(host) || missing.length === 0) return;
  console.error(`warning: listening on ${host} without ${missing.join(" and ")}`);
}
