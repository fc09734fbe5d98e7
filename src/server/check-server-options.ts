import { refuseUnknown } from "../model/option-names.js";

const LISTENING = [
  "port",
  "host",
  "tls",
  "rootPassword",
  "limits",
  "advertise",
  "cors",
  "allowedHosts",
];
const TLS = ["cert", "key", "clientCa"];
const LIMITS = [
  ...["maxBodySize", "maxHeaderSize", "maxBufferedBytes", "headersTimeout", "requestTimeout"],
  ...["maxConnections", "closeTimeout"],
];

interface ServerOptions {
  readonly tls?: object | undefined;
  readonly limits?: object | undefined;
}

/**
 * Refuses unknown options: a server that ignored a mistyped `rootPassword` or `clientCa` would accept
 * every client. @throws TypeError naming the option
 */
export function checkServerOptions(options: ServerOptions, own: readonly string[]): void {
  refuseUnknown(options, [...own, ...LISTENING]);
  if (options.tls !== undefined) refuseUnknown(options.tls, TLS);
  if (options.limits !== undefined) refuseUnknown(options.limits, LIMITS);
}
