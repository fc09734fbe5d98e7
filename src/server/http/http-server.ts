import {
  createServer as createPlain,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTls } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { getHeapStatistics } from "node:v8";
import { Connections } from "./connections.js";
import { MemoryBudget } from "./memory-budget.js";
import type { V2Handler } from "./message.js";
import { NodeRequest, serveNode } from "./node-adapter.js";
import { BODY_BROKEN } from "./request-body.js";
import { authorityOf } from "./server-url.js";

/** TLS of a server, as PEM texts. */
export interface ServerTls {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Of authorities whose client certificates are demanded. Absent: none are asked for. */
  readonly clientCa?: string | Buffer;
}

/** What bounds the use of a server by its clients. */
export interface ServerLimits {
  /**
   * Bytes of a request's body.
   *
   * @default 10485760, as etcd
   */
  readonly maxBodySize?: number;
  /**
   * Bytes of a request line with its headers.
   *
   * @default 1048576, as etcd
   */
  readonly maxHeaderSize?: number;
  /**
   * Bytes of requests that are arriving and of answers that their clients have not taken yet, all
   * connections together. From half of it on, clients that have stalled for a second make room; at
   * the limit, those for which most is held. A request that makes room is answered 503, an answer
   * that makes room ends with its connection. What holds less than 16 KiB is not counted.
   *
   * @default a quarter of V8's heap limit (`--max-old-space-size`), at most 256 MiB, and at least four
   *   times `maxBodySize`
   */
  readonly maxBufferedBytes?: number;
  /**
   * Milliseconds for a request's headers to arrive.
   *
   * @default 60000
   */
  readonly headersTimeout?: number;
  /**
   * Milliseconds for a whole request to arrive.
   *
   * @default 300000
   */
  readonly requestTimeout?: number;
  /**
   * Connections at the same time; a watch needs one for as long as it lasts.
   *
   * @default 50000
   */
  readonly maxConnections?: number;
  /**
   * Milliseconds that `close()` waits for requests that are under way.
   *
   * @default 5000
   */
  readonly closeTimeout?: number;
}

/** A listening server. */
export interface HttpServer {
  /** e.g. `http://127.0.0.1:2379` */
  readonly url: string;
  /** Takes no more connections, answers what is under way and ends all connections. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: ServerTls | undefined;
  readonly limits?: ServerLimits | undefined;
}

/** What Go's HTTP library says to requests that it cannot read, by node:http's error codes. */
const UNREADABLE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** Milliseconds for a client to read why it was refused, while it may still send; as Go's. */
const LINGER = 500;

/** Connections that may wait to be accepted: as many as Go lets Linux hold. */
const BACKLOG = 4096;

const MIB = 1024 * 1024;

function defaultBuffered(maxBodySize: number): number {
  return Math.max(4 * maxBodySize, Math.min(256 * MIB, getHeapStatistics().heap_size_limit / 4));
}

/** Serves a handler on a socket. Idle connections stay open, as with etcd. */
export async function listen(handler: V2Handler, options: ListenOptions): Promise<HttpServer> {
  const { host, port, tls, limits = {} } = options;
  const server = createServer(tls, limits);
  const connections = serve(server, handler, limits, tls !== undefined);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen({ host, port, backlog: BACKLOG }, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://${authorityOf({ address: host, port: bound })}`,
    close: () => connections.close(limits.closeTimeout ?? 5_000),
  };
}

/** Milliseconds of silence after which a client's machine is asked whether it is there, as by etcd. */
const TCP_KEEP_ALIVE = 30_000;

function createServer(tls: ServerTls | undefined, limits: ServerLimits): Server {
  const { headersTimeout = 60_000, requestTimeout = 300_000 } = limits;
  const settings = {
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE,
    keepAliveTimeout: 0,
    headersTimeout: Math.min(headersTimeout, requestTimeout),
    requestTimeout,
    connectionsCheckingInterval: Math.min(headersTimeout, requestTimeout, 30_000),
    maxHeaderSize: limits.maxHeaderSize ?? MIB,
    requireHostHeader: false,
  };
  const server =
    tls === undefined
      ? createPlain(settings)
      : createTls({ ...settings, ...tlsSettings(tls), allowHalfOpen: true });
  // Who has nothing more to say still gets an answer. node:http has no public option for it.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.maxConnections = limits.maxConnections ?? 50_000;
  return server;
}

function serve(
  server: Server,
  handler: V2Handler,
  limits: ServerLimits,
  tls: boolean,
): Connections {
  const { maxBodySize = 10 * MIB } = limits;
  const budget = new MemoryBudget(limits.maxBufferedBytes ?? defaultBuffered(maxBodySize));
  const connections = new Connections(server, tls, budget);
  const refused = new WeakSet<Socket>();
  server
    .on("request", (_message, response) => {
      // Its body may arrive while others are answered.
      const request = new NodeRequest(response, budget, maxBodySize);
      connections.inTurn(response, () => serveNode(handler, request));
    })
    .on("checkExpectation", refuseExpectation)
    .on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
      if (refused.has(socket)) return;
      refused.add(socket);
      answerUnreadable(error, socket, connections);
    });
  return connections;
}

function tlsSettings({ cert, key, clientCa }: ServerTls) {
  if (clientCa === undefined) return { cert, key };
  return { cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: true };
}

/** Any expectation but `100-continue`. */
function refuseExpectation(_message: IncomingMessage, response: ServerResponse): void {
  response.writeHead(417, { Connection: "close", "Content-Length": 0 }).end();
}

/** Answers what was asked before, then what cannot be read. */
function answerUnreadable(
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
  // Then the request is refused because of its body.
  if (isBody) request.emit(BODY_BROKEN);
  connection.afterAnswers(() => endWith(isBody ? "" : refusalOf(error), socket));
}

function refusalOf(error: NodeJS.ErrnoException): string {
  const line = UNREADABLE[error.code ?? ""] ?? "400 Bad Request";
  const type = "Content-Type: text/plain; charset=utf-8";
  return `HTTP/1.1 ${line}\r\n${type}\r\nConnection: close\r\n\r\n${line}`;
}

function endWith(text: string, socket: Socket): void {
  socket.end(text);
  setTimeout(() => socket.destroy(), LINGER).unref();
}
