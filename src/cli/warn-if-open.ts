import type { EmbeddedEtcdOptions } from "../server/embedded-etcd.js";

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|::1)$/;

/** Warns when others than this machine's users can read and write, or listen in. */
export function warnIfOpen({ host = "127.0.0.1", tls, rootPassword }: EmbeddedEtcdOptions): void {
  const missing: string[] = [];
  if (tls === undefined) missing.push("TLS (--cert, --key)");
  if (rootPassword === undefined) missing.push("auth (--auth-root-password-file)");
  if (LOOPBACK.test(host) || missing.length === 0) return;
  console.error(`warning: listening on ${host} without ${missing.join(" and ")}`);
}
