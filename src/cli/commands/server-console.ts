import { ConsoleServer } from "../../console/console-server.js";
import type { ServerTls } from "../../server/http/http-server.js";
import type { FlagOf } from "../process/flag-names.js";
import { VERSION } from "../process/version.js";

/** Options of the console of a server. */
export interface ServerConsoleOptions {
  readonly console?: number;
  readonly consoleWrite?: boolean;
}

/** @throws Error naming the option */
export function checkConsole(
  { console: port, consoleWrite }: ServerConsoleOptions,
  tls: ServerTls | undefined,
  flag: FlagOf,
): void {
  if (port === undefined) {
    if (consoleWrite) throw new Error(`${flag("console-write")} needs ${flag("console")}`);
    return;
  }
  if (tls?.clientCa === undefined) return;
  const instead = "use etcdnet console with a certificate";
  throw new Error(`${flag("console")} has no certificate of a client; ${instead}`);
}

/**
 * Starts the console of a server, which is a client of the server like any other, so that users of v2 auth sign in.
 * It has a port of its own: on that of the server, a page that `cors` allows would have the origin of the console.
 */
export async function startServerConsole(
  { console: port, consoleWrite: write = false }: ServerConsoleOptions,
  url: string,
): Promise<ConsoleServer | undefined> {
  if (port === undefined) return undefined;
  return await ConsoleServer.start({
    ...{ host: "127.0.0.1", port, write, version: VERSION },
    // The server is in this process, and its certificate may have other names than this address.
    options: { urls: [url], ignoreCertificateError: true },
  });
}
