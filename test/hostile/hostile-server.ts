import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { serverCertificate } from "../support/certificates.js";
import { frame } from "../support/http2-frame.js";
import type { Http1Request } from "./etcd-truth.js";
import { ACK, END_STREAM, FRAME } from "./http2-lies.js";
import { FrameReader, relayHttp2, type StreamLie } from "./http2-relay.js";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Which protocols a server speaks, as far as it keeps to one. */
export interface ServerKind {
  readonly speaksHttp2: boolean;
  readonly tls: boolean;
  /** The server to which HTTP/2 is forwarded. Without one, only `answerHttp2` answers. */
  readonly etcd?: URL | undefined;
}

/** What a server does. */
export interface Behaviour {
  /** A connection was made. */
  greet?(socket: Socket): void;
  /** A request was received. */
  answerHttp1(socket: Socket, request: Http1Request): void;
  /** A request was received on a stream. */
  answerHttp2(socket: Socket, stream: number): void;
  /** The lie in the place of etcd's response on a stream. */
  lieOn(stream: number): StreamLie | undefined;
}

export interface HostileServer extends AsyncDisposable {
  readonly url: string;
  /** What it does from now on. */
  behaviour: Behaviour;
  /** Number of connections and requests so far. */
  readonly received: number;
}

const SILENCE: Behaviour = { answerHttp1: () => {}, answerHttp2: () => {}, lieOn: () => undefined };

export async function startHostileServer(kind: ServerKind): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  let received = 0;
  /** The current behaviour; counts what it is asked for. */
  const behaviour = (): Behaviour => {
    received++;
    return hostile.behaviour;
  };
  const serve = (socket: Socket & { readonly alpnProtocol?: string | false | null }) => {
    socket.on("error", () => {});
    behaviour().greet?.(socket);
    if (socket.destroyed) return;
    const isHttp2 = kind.speaksHttp2 && (!kind.tls || socket.alpnProtocol === "h2");
    if (isHttp2) serveHttp2(socket, kind.etcd, behaviour);
    else serveHttp1(socket, behaviour);
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
    behaviour: SILENCE,
    get received() {
      return received;
    },
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
      const [line = "", ...lines] = received.slice(0, end).split("\r\n");
      const headers = Object.fromEntries(lines.map((field) => fieldOf(field)));
      const length = Number(headers["content-length"] ?? 0);
      if (received.length < end + 4 + length) return;
      const body = Buffer.from(received.slice(end + 4, end + 4 + length), "latin1").toString();
      received = received.slice(end + 4 + length);
      const [method = "", path = ""] = line.split(" ");
      behaviour().answerHttp1(socket, { method, path, headers, body });
    }
  });
}

function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function serveHttp2(socket: Socket, etcd: URL | undefined, behaviour: () => Behaviour): void {
  let first: Buffer = Buffer.alloc(0);
  const onFirst = (bytes: Buffer) => {
    first = Buffer.concat([first, bytes]);
    if (first.length < PREFACE.length) return;
    socket.off("data", onFirst);
    if (!first.toString("latin1").startsWith(PREFACE)) serveHttp1(socket, behaviour);
    else if (etcd !== undefined) {
      relayHttp2(socket, etcd, first, (stream) => behaviour().lieOn(stream));
      return;
    } else serveStreams(socket, behaviour);
    // HTTP/1 is used after HTTP/2 was found not to work.
    socket.emit("data", first);
  };
  if (etcd === undefined) socket.write(frame(FRAME.settings, 0, 0));
  socket.on("data", onFirst);
}

/** Answers each stream without another server. */
function serveStreams(socket: Socket, behaviour: () => Behaviour): void {
  const frames = new FrameReader();
  /** The last stream that was answered. */
  let last = 0;
  let isFirst = true;
  socket.on("data", (bytes: Buffer) => {
    const rest = isFirst ? bytes.subarray(PREFACE.length) : bytes;
    isFirst = false;
    for (const whole of frames.push(rest)) take(whole);
  });

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
