import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import { certificateAuthority, serverCertificate } from "../support/certificates.js";

/** A server at an origin that the client does not know. */
export interface Bystander extends AsyncDisposable {
  readonly url: string;
  /** What reached it since the last call, in words; empty for nothing. */
  take(): readonly string[];
}

/** Starts a server that refuses every request. Over TLS it asks for the client's certificate. */
export async function startBystander(tls: boolean): Promise<Bystander> {
  let received: string[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket) => {
    sockets.add(socket);
    received.push("a connection");
    if (socket instanceof TLSSocket && Object.keys(socket.getPeerCertificate()).length > 0) {
      received.push("a client certificate");
    }
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.on("data", (bytes) => {
      received.push(bytes.toString("latin1"));
      socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    });
  };
  const { cert, key } = serverCertificate();
  const ca = certificateAuthority().cert;
  const server = tls
    ? createTlsServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false }, serve)
    : createServer(serve);
  server.on("tlsClientError", () => {});
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    take() {
      const taken = received;
      received = [];
      return taken;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
}
