import { type KnownOptions, refuseUnknown } from "../model/option-names.js";
import type { ServerLimits, ServerTls } from "./http/http-server.js";

const TLS: KnownOptions<ServerTls> = { cert: true, key: true, clientCa: true };
const LIMITS: KnownOptions<ServerLimits> = {
  maxBodySize: true,
  maxHeaderSize: true,
  maxBufferedBytes: true,
  headersTimeout: true,
  requestTimeout: true,
  maxConnections: true,
  closeTimeout: true,
};

/** The options of all servers that listen on a port. */
export const LISTEN_OPTIONS = {
  ...{ port: true, host: true, tls: true, advertise: true, limits: true },
  ...{ cors: true, allowedHosts: true },
};

interface ServerOptions {
  readonly tls?: ServerTls | undefined;
  readonly limits?: ServerLimits | undefined;
}

/**
 * Refuses unknown options: a server that ignored a mistyped `rootPassword` or `clientCa` would accept
 * every client. @throws OptionError
 */
export function checkServerOptions<T extends ServerOptions>(
  options: T,
  known: KnownOptions<T>,
): void {
  refuseUnknown(options, known);
  if (options.tls !== undefined) refuseUnknown(options.tls, TLS);
  if (options.limits !== undefined) refuseUnknown(options.limits, LIMITS);
}
