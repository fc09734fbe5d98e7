import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { buildConnector, Client, EnvHttpProxyAgent, ProxyAgent } from "undici";
import type { OpenDispatcher } from "./connection.js";

/** How connections are made, the same for every endpoint. */
export interface ConnectionSettings {
  /** Certificates for `https`; none: the system's own trust. */
  readonly tls: SecureContextOptions;
  /** Accept any server certificate, for this client only. */
  readonly ignoreCertificateError: boolean;
  /** `true`: the system's proxy variables; a URL: that proxy. */
  readonly useProxy: boolean | string;
  /** Milliseconds. */
  readonly connectTimeout: number;
}

/** Below the idle time-outs of common load balancers and NATs (60 s and more). */
const KEEP_ALIVE = 30_000;

/** What opens a connection to `origin`. */
export function dispatcherFor(origin: string, settings: ConnectionSettings): OpenDispatcher {
  const tls = tlsOptions(settings);
  const timeout = settings.connectTimeout;
  const { useProxy } = settings;
  if (useProxy === false) {
    // One connector for all, so that TLS sessions are resumed.
    const connect = buildConnector({ ...tls, timeout });
    return () => new Client(origin, { keepAliveTimeout: KEEP_ALIVE, connect });
  }
  // As system proxies expect it: plain requests in absolute form, TLS through a tunnel.
  const proxied = {
    connections: 1,
    keepAliveTimeout: KEEP_ALIVE,
    proxyTunnel: origin.startsWith("https:"),
    requestTls: { ...tls, timeout },
    proxyTls: { timeout },
    connect: { ...tls, timeout },
  };
  return typeof useProxy === "string"
    ? () => new ProxyAgent({ ...proxied, uri: useProxy })
    : () => new EnvHttpProxyAgent(proxied);
}

function tlsOptions(settings: ConnectionSettings): {
  rejectUnauthorized: boolean;
  secureContext?: SecureContext;
} {
  const rejectUnauthorized = !settings.ignoreCertificateError;
  const own = Object.keys(settings.tls).length > 0;
  // Read once: certificates are costly to parse for every connection.
  return own
    ? { rejectUnauthorized, secureContext: createSecureContext(settings.tls) }
    : { rejectUnauthorized };
}
