import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";

const { NGHTTP2_REFUSED_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } =
  constants;

/** What happens to a stream. */
export type StreamFault =
  | "pass"
  /** REFUSED_STREAM, and nothing is forwarded. */
  | "refuse"
  /** The request takes effect, and the stream is reset instead of a response. */
  | "reset"
  /** The stream passes, and its connection accepts no other stream. */
  | "goaway";

/** An HTTP/2 proxy (without TLS) whose streams fail by chance. */
export class Http2Proxy {
  readonly url: string;
  readonly #target: string;
  readonly #faultOf: () => StreamFault;
  readonly #server: Http2Server;
  readonly #sessions = new Map<ServerHttp2Session, ClientHttp2Session>();
  /** Sessions that accept no more streams. */
  readonly #ending = new WeakSet<object>();

  static async before(target: string, faultOf: () => StreamFault): Promise<Http2Proxy> {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    return new Http2Proxy(server, target, faultOf);
  }

  private constructor(server: Http2Server, target: string, faultOf: () => StreamFault) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#target = target;
    this.#faultOf = faultOf;
    this.#server = server;
    server.on("session", (session) => this.#accept(session));
    server.on("stream", (stream, headers) => this.#onStream(stream, headers));
  }

  close(): void {
    this.#server.close();
    for (const session of this.#sessions.keys()) session.destroy();
  }

  #accept(session: ServerHttp2Session): void {
    const etcd = connect(this.#target);
    this.#sessions.set(session, etcd);
    session.on("error", () => {});
    etcd.on("error", () => {});
    session.on("close", () => {
      this.#sessions.delete(session);
      etcd.destroy();
    });
    etcd.on("close", () => session.destroy());
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on("error", () => {});
    const { session } = stream;
    const etcd = session && this.#sessions.get(session as ServerHttp2Session);
    const fault = this.#faultOf();
    // Node also reports streams that arrived together with one that was answered by GOAWAY.
    const isBeyondLast = session !== undefined && this.#ending.has(session);
    if (etcd === undefined || etcd.destroyed || isBeyondLast || fault === "refuse") {
      stream.close(NGHTTP2_REFUSED_STREAM);
      return;
    }
    if (fault === "goaway" && session !== undefined) {
      this.#ending.add(session);
      session.goaway(NGHTTP2_NO_ERROR, stream.id);
    }
    forward(stream, headers, etcd, fault === "reset");
  }
}

function forward(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  etcd: ClientHttp2Session,
  isReset: boolean,
): void {
  const request = etcd.request(headers);
  let trailers: IncomingHttpHeaders = {};
  request.on("error", () => stream.close(NGHTTP2_INTERNAL_ERROR));
  request.on("response", (response, flags) => {
    if (isReset) {
      stream.close(NGHTTP2_INTERNAL_ERROR);
      request.close(NGHTTP2_CANCEL);
    } else if (!stream.destroyed && !stream.closed) {
      // gRPC errors are a response with headers only.
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(response, { endStream, waitForTrailers: !endStream });
      if (!endStream) request.pipe(stream);
    }
  });
  request.on("trailers", (received) => {
    trailers = received;
  });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.on("close", () => request.close(NGHTTP2_CANCEL));
  stream.pipe(request);
}
