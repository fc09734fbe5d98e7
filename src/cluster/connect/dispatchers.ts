import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import {
  buildConnector,
  Client,
  type Dispatcher,
  EnvHttpProxyAgent,
  ProxyAgent,
} from "undici/index.js";
import { afterPoll, monotonicNow } from "../../time/event-loop.js";
import { UnusableConnectionError } from "../exchange/connection-errors.js";
import type { OpenDispatcher } from "../http1/connection.js";

/** How connections are made, the same for every endpoint. */
export interface ConnectionSettings {
  /**
   * Certificates for the next `https` connection; none: the system's own trust. The same object as long
   * as they are the same.
   */
  readonly secureContext: () => SecureContext | undefined;
  /** Accept any server certificate, for this client only. */
  readonly ignoreCertificateError: boolean;
  /** The host name that server certificates must have; absent: the host of the URL. */
  readonly servername?: string | undefined;
  /** `true`: the system's proxy variables; a URL: that proxy. */
  readonly useProxy: boolean | string;
  /** Milliseconds. */
  readonly connectTimeout: number;
}

/** Milliseconds: below the idle time-outs of common load balancers and NATs (60 s and more). */
export const KEEP_ALIVE = 30_000;

/** What opens a connection to `origin`. */
export function dispatcherFor(origin: string, settings: ConnectionSettings): OpenDispatcher {
  const { useProxy, connectTimeout: timeout } = settings;
  const connect = connectorFor(settings);
  if (useProxy === false) return () => directTo(origin, connect);
  // As system proxies expect it: TLS through a tunnel, plain requests in absolute form. These have a
  // connection each: some proxies close it after an answer without a word, and who uses it again
  // cannot know what became of a write.
  const asExpected = origin.startsWith("https:")
    ? { proxyTunnel: true }
    : { proxyTunnel: false, headers: { connection: "close" } };
  const proxied = { ...asExpected, proxyTls: { timeout }, connect };
  return () => {
    const held: HeldSocket = {};
    const options = { ...proxied, requestTls: tlsOptions(settings) };
    const dispatcher = proxyAgent(useProxy, options, held);
    return { dispatcher, abandon: () => {}, halfClose: () => held.socket?.end() };
  };
}

/** What opens a socket for streams of HTTP/2. None goes by a proxy, which may not know those. */
export function streamConnectorFor(
  settings: ConnectionSettings,
): buildConnector.connector | undefined {
  if (settings.useProxy !== false) return undefined;
  return guarded(connectorFor(settings, { allowH2: true }));
}

/**
 * Opens sockets with the certificates of the moment. One connector serves many connections, so that
 * TLS sessions are resumed. New certificates get a new one: a session belongs to an identity.
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
    return connect(target, callback);
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

/** The socket that carries the requests of a connection. */
interface HeldSocket {
  socket?: Socket;
}

function proxyAgent(useProxy: true | string, options: object, held: HeldSocket): Dispatcher {
  // Agents of proxies keep their connections' events to themselves.
  const factory = (url: string | URL, { connect = buildConnector({}) }: Client.Options) =>
    clientOf(url, holding(connect as buildConnector.connector, held)).on("disconnect", (...event) =>
      agent.emit("disconnect", ...event),
    );
  const agent: Dispatcher =
    useProxy === true
      ? new EnvHttpProxyAgent({ ...options, factory })
      : new ProxyAgent({ ...options, factory, uri: useProxy });
  return agent;
}

/**
 * What ends a socket. Without an error, undici would take the end of the connection for the end of the
 * answer. One for all: Node reads the stack of each, which takes time.
 */
const ABANDONED = Object.assign(new Error("given up"), { code: "UND_ERR_INFO" });

function directTo(origin: string, connect: buildConnector.connector): ReturnType<OpenDispatcher> {
  let socket: Socket | undefined;
  const dispatcher = clientOf(origin, (options, callback) => {
    // The connector returns the socket, though its type does not say so.
    socket = connect(options, callback) as unknown as Socket;
  });
  return {
    dispatcher,
    abandon: () => socket?.destroy(ABANDONED),
    halfClose: () => socket?.end(),
  };
}

/** Keeps the socket that was made last: through a tunnel, the one to the endpoint. */
function holding(connect: buildConnector.connector, held: HeldSocket): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [, socket] = result;
      if (socket !== null) held.socket = socket;
      callback(...result);
    });
}

/** Milliseconds in which a connection is made, unless the way is long or the event loop was blocked. */
const PROMPT_MS = 20;

/** A connector whose sockets are safe to use. */
function guarded(connect: buildConnector.connector): buildConnector.connector {
  return withLookAtLateOnes(withLateAlerts(connect));
}

/**
 * While the event loop was blocked, the server may have made a connection and closed it again. A write on
 * it would have an unknown outcome, so the socket is read first.
 */
function withLookAtLateOnes(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) => {
    const startedAt = monotonicNow();
    return connect(options, (...result) => {
      const [error, socket] = result;
      const isPrompt = monotonicNow() - startedAt < PROMPT_MS;
      if (error !== null || isPrompt) return callback(...result);
      afterPoll(() => {
        if (socket.readable) callback(null, socket);
        else callback(new UnusableConnectionError("the server closed a new connection"), null);
      });
    });
  };
}

/** One connection, opened when it is first used. */
function clientOf(origin: string | URL, connect: buildConnector.connector): Client {
  return new Client(origin, { keepAliveTimeout: KEEP_ALIVE, connect: guarded(connect) });
}

/**
 * With TLS 1.3 a server may refuse the client when that already takes the connection for made. Node
 * tells so without closing the socket, and undici would only report that the other side closed it.
 */
function withLateAlerts(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [, socket] = result;
      socket?.prependListener("error", (alert) => socket.destroy(alert));
      callback(...result);
    });
}
