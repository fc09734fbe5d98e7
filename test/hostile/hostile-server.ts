import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { serverCertificate } from "../support/certificates.js";
import { ACK, END_STREAM, FRAME, frame } from "./http2-answers.js";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Which protocols a server speaks, as far as it keeps to one. */
export interface ServerKind {
  readonly speaksHttp2: boolean;
  readonly tls: boolean;
}

/** What a server does. */
export interface Behaviour {
  /** A connection was made. */
  greet?(socket: Socket): void;
  /** A request has come, of which the first line is given. */
  answerHttp1(socket: Socket, line: string): void;
  /** A request has come on a stream. */
  answerHttp2(socket: Socket, stream: number): void;
}

export interface HostileServer extends AsyncDisposable {
  readonly url: string;
  /** What it does from now on. */
  behaviour: Behaviour;
}

export async function startHostileServer(kind: ServerKind): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  const serve = (socket: Socket & { readonly alpnProtocol?: string | false | null }) => {
    socket.on("error", () => {});
    hostile.behaviour.greet?.(socket);
    if (socket.destroyed) return;
    const isHttp2 = kind.speaksHttp2 && (!kind.tls || socket.alpnProtocol === "h2");
    if (isHttp2) serveHttp2(socket, () => hostile.behaviour);
    else serveHttp1(socket, () => hostile.behaviour);
  };
  const { cert, key } = kind.tls ? serverCertificate() : { cert: "", key: "" };
  const ALPNProtocols = kind.speaksHttp2 ? ["h2", "http/1.1"] : ["http/1.1"];
  const options = { allowHalfOpen: true };
  const server = kind.tls
    ? createTlsServer({ ...options, cert, key, ALPNProtocols }, serve)
    : createServer(options, serve);
  server.on("tlsClientError", () => {});
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const hostile: HostileServer = {
    url: `${kind.tls ? "https" : "http"}://127.0.0.1:${port}`,
    behaviour: { answerHttp1: () => {}, answerHttp2: () => {} },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
  return hostile;
}

function serveHttp1(socket: Socket, behaviour: () => Behaviour): void {
  let received = "";
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
    for (let end = received.indexOf("\r\n\r\n"); end !== -1; end = received.indexOf("\r\n\r\n")) {
      const head = received.slice(0, end);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (received.length < end + 4 + length) return;
      received = received.slice(end + 4 + length);
      const line = head.slice(0, head.indexOf("\r\n"));
      behaviour().answerHttp1(socket, line);
    }
  });
}

function serveHttp2(socket: Socket, behaviour: () => Behaviour): void {
  let received: Buffer = Buffer.alloc(0);
  let begun = false;
  /** The last stream that was answered. */
  let last = 0;
  socket.write(frame(FRAME.settings, 0, 0));
  socket.on("data", (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    if (!begun && !received.toString("latin1").startsWith(PREFACE)) return serveOther(received);
    if (!begun) received = received.subarray(PREFACE.length);
    begun = true;
    while (received.length >= 9 && received.length >= 9 + received.readUIntBE(0, 3)) {
      const length = 9 + received.readUIntBE(0, 3);
      take(received.subarray(0, length));
      received = received.subarray(length);
    }
  });

  /** What is asked in HTTP/1, after HTTP/2 was found not to work. */
  const serveOther = (bytes: Buffer) => {
    socket.removeAllListeners("data");
    serveHttp1(socket, behaviour);
    socket.emit("data", bytes);
  };

  const take = (whole: Buffer) => {
    const [type, flags = 0] = whole.subarray(3);
    const stream = whole.readUInt32BE(5);
    if (type === FRAME.settings && (flags & ACK) === 0) socket.write(frame(FRAME.settings, ACK, 0));
    if (type === FRAME.ping && (flags & ACK) === 0) {
      socket.write(frame(FRAME.ping, ACK, 0, whole.subarray(9)));
    }
    // A watch of gRPC leaves its request open.
    const isRequest = type === FRAME.data || (flags & END_STREAM) !== 0;
    if (!isRequest || (type !== FRAME.headers && type !== FRAME.data) || stream <= last) return;
    last = stream;
    behaviour().answerHttp2(socket, stream);
  };
}
