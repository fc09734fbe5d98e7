import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createProxy } from "proxy";

const CLOSED_AFTER_MS = 50;

/** A running HTTP proxy. */
export interface HttpProxy extends AsyncDisposable {
  readonly url: string;
  /** The URL with credentials. */
  urlFor(username: string, password: string): string;
  /** Method and target of each request so far, `CONNECT` among them. */
  readonly requests: readonly string[];
  /** Accepted connections so far. */
  readonly connections: number;
}

interface HttpProxyOptions {
  /** Required credentials, `user:password`. */
  readonly credentials?: string;
  /** Close each connection after its response without `Connection: close`, as tinyproxy does. */
  readonly closesSilently?: boolean;
}

export async function startHttpProxy(options: HttpProxyOptions = {}): Promise<HttpProxy> {
  const { credentials, closesSilently = false } = options;
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer();
  const note = ({ method, url }: IncomingMessage) => {
    requests.push(`${method} ${url}`);
  };
  server.on("connect", note);
  server.on("request", (request, response) => {
    note(request);
    passHeadsAtOnce(response);
    if (closesSilently) response.once("finish", () => closeSoon(request.socket));
  });
  server.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const proxy = createProxy(server);
  if (credentials !== undefined) {
    const expected = `Basic ${Buffer.from(credentials).toString("base64")}`;
    proxy.authenticate = ({ headers }) => headers["proxy-authorization"] === expected;
  }
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    urlFor: (username, password) =>
      `http://${encodeURIComponent(username)}:${encodeURIComponent(password)}@127.0.0.1:${port}`,
    requests,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

/** Forwards response headers at once, as Squid and tinyproxy do. Otherwise the headers of a watch wait for the first event. */
function passHeadsAtOnce(response: ServerResponse): void {
  response.once("pipe", () => response.flushHeaders());
}

/** Data that arrives in between is discarded. */
function closeSoon(socket: Socket): void {
  socket.pause();
  setTimeout(() => socket.destroy(), CLOSED_AFTER_MS);
}
