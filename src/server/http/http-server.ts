import { createServer as createPlain, type Server, type ServerResponse } from "node:http";
import { createServer as createTls, Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { getHeapStatistics } from "node:v8";
import { OptionError } from "../../errors/option-error.js";
import { setTimeout } from "../../time/event-loop.js";
import { Connections } from "./connections.js";
import { DirectConnection, type DirectService } from "./direct-connection.js";
import { MemoryBudget } from "./memory-budget.js";
import type { V2Handler } from "./message.js";
import { NodeRequest, serveNode } from "./node-adapter.js";
import { BODY_BROKEN } from "./request-body.js";
import { authorityOf } from "./server-url.js";

/** TLS settings of a server, as PEM texts. */
export interface ServerTls {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Authorities; clients need a certificate from one of them. Absent: no client certificate is needed. */
  readonly clientCa?: string | Buffer | undefined;
}

/** Limits on what clients can use of a server. */
export interface ServerLimits {
  /**
   * Maximum size of a request's body, in bytes.
   *
   * @default 10485760, as etcd
   */
  readonly maxBodySize?: number | undefined;
  /**
   * Maximum size of a request line with its headers, in bytes.
   *
   * @default 1048576, as etcd
   */
  readonly maxHeaderSize?: number | undefined;
  /**
   * Maximum size of the requests that are arriving and the responses that clients have not read yet, in
   * bytes, of all connections together. Above half of it, the requests and responses of clients that have
   * stalled for a second are dropped; at the limit, the largest ones of any client. A dropped request gets
   * status 503; a dropped response ends its connection. One of less than 16 KiB is not counted.
   *
   * @default a quarter of V8's heap limit (`--max-old-space-size`), at most 256 MiB, and at least four
   *   times `maxBodySize`
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * Time for a request's headers to arrive, in milliseconds.
   *
   * @default 60000
   */
  readonly headersTimeout?: number | undefined;
  /**
   * Time for a complete request to arrive, in milliseconds.
   *
   * @default 300000
   */
  readonly requestTimeout?: number | undefined;
  /**
   * Maximum number of connections at the same time; each watch needs one.
   *
   * @default 50000
   */
  readonly maxConnections?: number | undefined;
  /**
   * Time that `close()` waits for the requests in progress, in milliseconds.
   *
   * @default 5000
   */
  readonly closeTimeout?: number | undefined;
}

/** A listening server. */
export interface HttpServer {
  /** e.g. `http://127.0.0.1:2379` */
  readonly url: string;
  /** Uses another certificate, and other authorities of clients, for new connections. @throws OptionError */
  setTls(tls: ServerTls): void;
  /** From now on, it does not keep the process alive. */
  unref(): void;
  /** Accepts no more connections, finishes the requests in progress and closes all connections. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: ServerTls | undefined;
  readonly limits?: ServerLimits | undefined;
  /** Whether `node:http` reads all connections. @default false */
  readonly onlyNode?: boolean | undefined;
}

/** The status lines of Go's HTTP library for invalid requests, by node:http's error codes. */
const TIMEOUT = "ERR_HTTP_REQUEST_TIMEOUT";
const STATUS_LINES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  [TIMEOUT]: "408 Request Timeout",
};

/** Delay before a refused connection is closed, so that the client can read the response; as in Go. */
const CLOSE_DELAY_MS = 500;

/** Connections that may wait to be accepted; as in Go on Linux. */
const BACKLOG = 4096;

const MIB = 1024 * 1024;

/** Bytes that a server holds for its clients by default. */
export function defaultMaxBuffered(maxBodySize = 10 * MIB): number {
  return Math.max(4 * maxBodySize, Math.min(256 * MIB, getHeapStatistics().heap_size_limit / 4));
}

/** Serves a handler on a socket. Idle connections stay open, as with etcd. */
export async function listen(handler: V2Handler, options: ListenOptions): Promise<HttpServer> {
  const { host, port, tls, limits = {}, onlyNode = false } = options;
  const server = createServer(tls, limits);
  const attach = tls === undefined && !onlyNode ? takeConnections(server) : undefined;
  const connections = serve(server, handler, limits, tls !== undefined, attach);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen({ host, port, backlog: BACKLOG }, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://${authorityOf({ address: host, port: bound })}`,
    setTls: (next) => replaceTls(server, tls, next),
    unref: () => connections.unref(),
    close: () => connections.close(limits.closeTimeout ?? 5_000),
  };
}

/** Node cannot change later whether a server uses TLS and asks for client certificates. */
function replaceTls(server: Server, first: ServerTls | undefined, next: ServerTls): void {
  if (!(server instanceof TlsServer) || first === undefined) {
    throw new OptionError("tls", "the server was started without TLS", "start another server");
  }
  if ((first.clientCa === undefined) !== (next.clientCa === undefined)) {
    const problem = "cannot be added or removed while the server runs";
    throw new OptionError("tls.clientCa", problem, "start another server");
  }
  try {
    server.setSecureContext(tlsSettings(next));
  } catch (error) {
    throw new OptionError("tls", `cannot be used (${(error as Error).message})`, undefined, error);
  }
}

/** Idle time before the first TCP keep-alive probe; as in etcd. */
const TCP_KEEP_ALIVE_MS = 30_000;

function headersTimeoutOf({ headersTimeout = 60_000, requestTimeout = 300_000 }: ServerLimits) {
  return Math.min(headersTimeout, requestTimeout);
}

function createServer(tls: ServerTls | undefined, limits: ServerLimits): Server {
  const { headersTimeout = 60_000, requestTimeout = 300_000 } = limits;
  const settings = {
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    keepAliveTimeout: 0,
    headersTimeout: headersTimeoutOf(limits),
    requestTimeout,
    connectionsCheckingInterval: Math.min(headersTimeout, requestTimeout, 30_000),
    maxHeaderSize: limits.maxHeaderSize ?? MIB,
    requireHostHeader: false,
  };
  const server =
    tls === undefined
      ? createPlain(settings)
      : createTls({ ...settings, ...tlsSettings(tls), allowHalfOpen: true });
  // A client that half-closes its connection still gets a response. node:http has no public option.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.maxConnections = limits.maxConnections ?? 50_000;
  return server;
}

/** Takes new connections from `node:http`. Returns how it gets one; `undefined` if another runtime has another way. */
function takeConnections(server: Server): ((socket: Socket) => void) | undefined {
  const [attach, ...others] = server.listeners("connection");
  if (attach === undefined || others.length > 0) return undefined;
  server.off("connection", attach as () => void);
  return (socket) => attach.call(server, socket);
}

/** @param attach gives a connection to `node:http`; `undefined`: it gets all of them by itself */
function serve(
  server: Server,
  handler: V2Handler,
  limits: ServerLimits,
  tls: boolean,
  attach: ((socket: Socket) => void) | undefined,
): Connections {
  const { maxBodySize = 10 * MIB } = limits;
  const budget = new MemoryBudget(limits.maxBufferedBytes ?? defaultMaxBuffered(maxBodySize));
  const connections = new Connections(server, tls, budget);
  const refused = new WeakSet<Socket>();
  const serveMessage = (response: ServerResponse, expectsContinue: boolean): void => {
    // Created at once: its body may arrive while earlier requests are served.
    const request = new NodeRequest(response, budget, maxBodySize);
    connections.serveInOrder(response, () => {
      if (expectsContinue) response.writeContinue();
      serveNode(handler, request);
    });
  };
  server
    .on("request", (_message, response) => serveMessage(response, false))
    .on("checkContinue", (_message, response) => serveMessage(response, true))
    .on("checkExpectation", (_message, response) => {
      connections.serveInOrder(response, () => refuseExpectation(response));
    })
    .on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
      if (refused.has(socket)) return;
      refused.add(socket);
      refuseInvalid(error, socket, connections);
    });
  if (attach === undefined) return connections;
  const service: DirectService = {
    ...{ handler, budget, maxBodySize, attach },
    maxHeaderSize: limits.maxHeaderSize ?? MIB,
    headersTimeout: headersTimeoutOf(limits),
    onTimeout: (socket) =>
      refuseInvalid({ code: TIMEOUT } as NodeJS.ErrnoException, socket, connections),
  };
  server.on("connection", (socket: Socket) => {
    const connection = connections.of(socket);
    if (connection !== undefined) new DirectConnection(socket, connection, service);
  });
  return connections;
}

function tlsSettings({ cert, key, clientCa }: ServerTls) {
  if (clientCa === undefined) return { cert, key };
  return { cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: true };
}

/** Called for any expectation except `100-continue`. */
function refuseExpectation(response: ServerResponse): void {
  response.writeHead(417, { Connection: "close", "Content-Length": 0 }).end();
}

/** Serves the earlier requests, then responds to the invalid one. */
function refuseInvalid(
  error: NodeJS.ErrnoException,
  socket: Socket,
  connections: Connections,
): void {
  const connection = connections.of(socket);
  if (connection === undefined || !socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const request = connection.pending;
  const isBody = request?.complete === false;
  // The request then fails with an error of its body.
  if (isBody) request.emit(BODY_BROKEN);
  connection.afterResponses(() => endWith(isBody ? "" : errorResponse(error), socket));
}

function errorResponse(error: NodeJS.ErrnoException): string {
  const line = STATUS_LINES[error.code ?? ""] ?? "400 Bad Request";
  const type = "Content-Type: text/plain; charset=utf-8";
  return `HTTP/1.1 ${line}\r\n${type}\r\nConnection: close\r\n\r\n${line}`;
}

function endWith(text: string, socket: Socket): void {
  socket.end(text);
  setTimeout(() => socket.destroy(), CLOSE_DELAY_MS).unref();
}
