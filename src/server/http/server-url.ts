import { type AddressInfo, isIPv6 } from "node:net";

const MAPPED = "::ffff:";

/** The server's end of the connection of a request. */
export interface ServerSide {
  /** Whether the server itself terminates TLS. */
  readonly tls: boolean;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** The longest host name of DNS, with a port. */
const MAX_HOST_LENGTH = 255 + ":65535".length;
/** A name, an IPv4 address, or an IPv6 address in brackets; then an optional port. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/**
 * The URL at which a client reached this server, e.g. `http://10.0.0.1:2379`: the address in the client's
 * `Host`, else the local address of the connection. The client chooses `Host`, so only the response to that
 * client may contain the URL. Headers of proxies (`Forwarded`, `X-Forwarded-Host`) are ignored: any client
 * can send them.
 *
 * @returns undefined when there is neither a plausible `Host` nor a connection
 */
export function serverUrl(host: string | undefined, side: ServerSide): string | undefined {
  const authority = host !== undefined && isPlausible(host) ? host : localAuthority(side);
  return authority === undefined ? undefined : `${side.tls ? "https" : "http"}://${authority}`;
}

function isPlausible(host: string): boolean {
  return host.length <= MAX_HOST_LENGTH && HOST.test(host) && URL.canParse(`http://${host}`);
}

function localAuthority({ localAddress, localPort }: ServerSide): string | undefined {
  if (localAddress === undefined || localPort === undefined) return undefined;
  return authorityOf({ address: localAddress, port: localPort });
}

/** `address:port`, as in a URL. */
export function authorityOf({ address, port }: Pick<AddressInfo, "address" | "port">): string {
  // The zone of a link-local address names an interface of this machine.
  const [name = ""] = address.split("%", 1);
  if (!isIPv6(name)) return `${name}:${port}`;
  return isMappedIPv4(name) ? `${name.slice(MAPPED.length)}:${port}` : `[${name}]:${port}`;
}

/** A dual-stack socket shows an IPv4 address as `::ffff:10.0.0.1`. */
function isMappedIPv4(address: string): boolean {
  return address.startsWith(MAPPED) && address.includes(".");
}
