import { isLoopback } from "../../server/http/loopback.js";
import type { Logger } from "../log/logger.js";

interface Listening {
  readonly host?: string;
  readonly tls?: object;
  readonly rootPassword?: string;
}

/**
 * Warns when other machines can connect without auth or without TLS, and names the options that prevent
 * this. Without a remedy, auth is the business of another server.
 */
export function warnIfOpen(
  { host = "127.0.0.1", tls, rootPassword }: Listening,
  remedies: { readonly tls: string; readonly auth: string | undefined },
  log: Logger,
): void {
  const missing: string[] = [];
  if (tls === undefined) missing.push(`TLS (${remedies.tls})`);
  if (rootPassword === undefined && remedies.auth !== undefined)
    missing.push(`auth (${remedies.auth})`);
  if (isLoopback(host) || missing.length === 0) return;
  log.warn(`listening without ${missing.join(" and ")}`, { host });
}
