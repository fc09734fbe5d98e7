import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import {
  buildConnector,
  Client,
  type Dispatcher,
  EnvHttpProxyAgent,
  ProxyAgent,
} from "undici/index.js";
import { afterSocketReads, monotonicNow } from "../../time/event-loop.js";
import { markOldCertificates, UnusableConnectionError } from "../exchange/connection-errors.js";
import type { OpenDispatcher } from "../http1/connection.js";

/** How connections are opened. The same for every endpoint of a cluster. */
export interface ConnectionSettings {
  /**
   * Certificates for the next `https` connection. `undefined`: the system's trust store. Returns
   * the same object until the certificates change.
   */
  readonly secureContext: () => SecureContext | undefined;
  /** Accept any server certificate, for this client only. */
  readonly ignoreCertificateError: boolean;
  /** The host name that server certificates must contain. Default: the host of the URL. */
  readonly servername?: string | undefined;
  /** `true`: use the proxy of the environment variables. A URL: use that proxy. */
  readonly useProxy: boolean | string;
  /** Milliseconds. */
  readonly connectTimeout: number;
}

/** Shorter than the idle timeouts of common load balancers and NATs (60 s and more). */
export const KEEP_ALIVE_MS = 30_000;

/** Returns a function that opens connections to `origin`. */
export function dispatcherFor(origin: string, settings: ConnectionSettings): OpenDispatcher {
  const { useProxy, connectTimeout: timeout } = settings;
  const connect = connectorFor(settings);
  if (useProxy === false) return () => directTo(origin, connect);
  // Proxies expect TLS through a tunnel, and plain requests in absolute form. Each plain request
  // gets its own connection. Some proxies close a connection after a response without notice; a
  // write on such a connection would have an unknown outcome.
  const proxyMode = origin.startsWith("https:")
    ? { proxyTunnel: true }
    : { proxyTunnel: false, headers: { connection: "close" } };
  const proxied = { ...proxyMode, proxyTls: { timeout }, connect };
  return () => {
    const ref: SocketRef = {};
    const options = { ...proxied, requestTls: tlsOptions(settings) };
    const dispatcher = proxyAgent(useProxy, options, ref);
    return { dispatcher, abandon: () => {}, halfClose: () => ref.socket?.end() };
  };
}

/** Returns a connector for HTTP/2. `undefined` with a proxy, which may not support HTTP/2. */
export function streamConnectorFor(
  settings: ConnectionSettings,
): buildConnector.connector | undefined {
  if (settings.useProxy !== false) return undefined;
  return withSafeSockets(connectorFor(settings, { allowH2: true }));
}

/**
 * Opens sockets with the current certificates. Connections share one connector so that TLS sessions
 * are resumed. New certificates get a new connector: a TLS session belongs to an identity. If a
 * connection fails and the certificates have been replaced since it began, its error says so.
 */
function connectorFor(
  settings: ConnectionSettings,
  options: buildConnector.BuildOptions = {},
): buildConnector.connector {
  let tls = tlsOptions(settings);
  let connect = buildConnector({ ...tls, ...options });
  return (target, callback) => {
    if (settings.secureContext() !== tls.secureContext) {
      tls = tlsOptions(settings);
      connect = buildConnector({ ...tls, ...options });
    }
    const { secureContext: used } = tls;
    const onError = (error: Error): void => {
      if (used !== undefined && settings.secureContext() !== used) markOldCertificates(error);
    };
    return connect(target, (...result) => {
      const [error, socket] = result;
      if (error !== null) onError(error);
      // With TLS 1.3, the server refuses a certificate after the connection was opened.
      else if (used !== undefined) socket.prependOnceListener("error", onError);
      callback(...result);
    });
  };
}

function tlsOptions(settings: ConnectionSettings): {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized: boolean;
  readonly servername?: string;
  readonly timeout: number;
} {
  const { ignoreCertificateError, servername, connectTimeout: timeout } = settings;
  const secureContext = settings.secureContext();
  const rejectUnauthorized = !ignoreCertificateError;
  return {
    rejectUnauthorized,
    timeout,
    ...(servername !== undefined && { servername }),
    ...(secureContext && { secureContext }),
  };
}

/** Refers to the socket that carries the requests of a connection, once it is open. */
interface SocketRef {
  socket?: Socket;
}

function proxyAgent(useProxy: true | string, options: object, ref: SocketRef): Dispatcher {
  // Proxy agents do not forward the events of their connections.
  const factory = (url: string | URL, { connect = buildConnector({}) }: Client.Options) =>
    clientOf(url, rememberSocket(connect as buildConnector.connector, ref)).on(
      "disconnect",
      (...event) => agent.emit("disconnect", ...event),
    );
  const agent: Dispatcher =
    useProxy === true
      ? new EnvHttpProxyAgent({ ...options, factory })
      : new ProxyAgent({ ...options, factory, uri: useProxy });
  return agent;
}

/**
 * The error with which a socket is destroyed. Without an error, undici would treat the end of the
 * connection as the end of the response. It is shared, because capturing a stack for each error takes
 * time.
 */
const ABANDONED_ERROR = Object.assign(new Error("the connection was abandoned"), {
  code: "UND_ERR_INFO",
});

function directTo(origin: string, connect: buildConnector.connector): ReturnType<OpenDispatcher> {
  let socket: Socket | undefined;
  const dispatcher = clientOf(origin, (options, callback) => {
    // The connector returns the socket, though its type does not say so.
    socket = connect(options, callback) as unknown as Socket;
  });
  return {
    dispatcher,
    abandon: () => socket?.destroy(ABANDONED_ERROR),
    halfClose: () => socket?.end(),
  };
}

/** Remembers the last opened socket. Through a tunnel, that is the one to the endpoint. */
function rememberSocket(
  connect: buildConnector.connector,
  ref: SocketRef,
): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [, socket] = result;
      if (socket !== null) ref.socket = socket;
      callback(...result);
    });
}

/** A connection opens faster, unless the network is slow or the event loop was blocked. */
const FAST_CONNECT_MS = 20;

/** A connector that only returns sockets that are safe to use. */
function withSafeSockets(connect: buildConnector.connector): buildConnector.connector {
  return withCheckOfLateSockets(withLateAlerts(connect));
}

/**
 * While the event loop was blocked, the server may have accepted a connection and closed it again.
 * A write on it would have an unknown outcome. So the socket is polled before its first use.
 */
function withCheckOfLateSockets(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) => {
    const startedAt = monotonicNow();
    return connect(options, (...result) => {
      const [error, socket] = result;
      const isFast = monotonicNow() - startedAt < FAST_CONNECT_MS;
      if (error !== null || isFast) return callback(...result);
      afterSocketReads(() => {
        if (socket.readable) callback(null, socket);
        // A TLS alert gives the reason.
        else callback(socket.errored ?? closedByServer(), null);
      });
    });
  };
}

function closedByServer(): Error {
  return new UnusableConnectionError("the server closed the new connection");
}

/** A client with one connection, which opens at the first request. */
function clientOf(origin: string | URL, connect: buildConnector.connector): Client {
  return new Client(origin, { keepAliveTimeout: KEEP_ALIVE_MS, connect: withSafeSockets(connect) });
}

/**
 * With TLS 1.3 a server can refuse the client after the client considers the connection open. Node
 * reports the alert without closing the socket, and undici would only report that the other side
 * closed it.
 */
function withLateAlerts(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [, socket] = result;
      socket?.prependListener("error", (alert) => socket.destroy(alert));
      callback(...result);
    });
}
