import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { AbortError } from "../errors/abort-error.js";
import { decodeUtf8 } from "../wire/decode-path.js";
import {
  BodyError,
  plainError,
  type ServerReply,
  type ServerRequest,
  TEXT_TYPE,
} from "./message.js";
import { serverUrl } from "./server-url.js";
import type { V2Handler } from "./v2-handler.js";

/** etcd announces the length of small bodies and sends larger ones in chunks. */
const SMALL_BODY = 2048;

/** Milliseconds for a client to notice that its body is not wanted, while it may still send. */
const LINGER = 500;

/** One for all: the reason that an abort would make by itself is an exception with a stack. */
const GONE = new Error("the client has gone");

/** Event of a message whose body cannot be read to its end. */
export const BODY_BROKEN = Symbol("body broken");

/** What `node:http` hands over, as a request of ours. */
class NodeRequest implements ServerRequest {
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #maxBodySize: number;
  #gone: AbortController | undefined;
  #overflowed = false;

  constructor(message: IncomingMessage, response: ServerResponse, maxBodySize: number) {
    this.#message = message;
    this.#response = response;
    this.#maxBodySize = maxBodySize;
  }

  get method(): string {
    return this.#message.method ?? "";
  }

  get target(): string {
    return this.#message.url ?? "";
  }

  get headers(): ServerRequest["headers"] {
    return this.#message.headers as ServerRequest["headers"];
  }

  get certificateName(): string | undefined {
    const socket = this.#message.socket as Partial<TLSSocket>;
    if (socket.authorized !== true) return undefined;
    const name = socket.getPeerCertificate?.().subject?.CN;
    return Array.isArray(name) ? name[0] : name;
  }

  get serverUrl(): string | undefined {
    const { headers, socket } = this.#message;
    const { localAddress, localPort } = socket;
    const tls = "encrypted" in socket;
    return serverUrl(headers.host, { tls, localAddress, localPort });
  }

  /** Made when somebody asks for it, which only watches do. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      const gone = new AbortController();
      const leave = (): void => gone.abort(GONE);
      const { socket } = this.#message;
      // A client that half-closes its side wants no more either.
      if (socket.readableEnded || socket.destroyed) leave();
      else {
        socket.once("end", leave);
        // The next watch on this connection listens anew.
        this.#response.once("close", () => {
          socket.off("end", leave);
          if (!this.#response.writableFinished) leave();
        });
      }
      this.#gone = gone;
    }
    return this.#gone.signal;
  }

  /** Whether the body is larger than allowed: then the client may still be sending it. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Not by iteration, which would take the connection down with a body that is refused. */
  body(): Promise<string> {
    const message = this.#message;
    return new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const onData = (chunk: Buffer): void => {
        size += chunk.length;
        if (size <= this.#maxBodySize) {
          chunks.push(chunk);
          return;
        }
        this.#overflowed = true;
        // What still comes is thrown away.
        chunks.length = 0;
        message.off("data", onData).resume();
        reject(new BodyError("http: POST too large"));
      };
      const onBroken = (): void => {
        // A message is closed after its end, too.
        if (!message.complete) reject(new BodyError("unexpected EOF"));
      };
      message.on("data", onData).once("end", () => resolve(joined(chunks)));
      message.once("error", onBroken).once("close", onBroken).once(BODY_BROKEN, onBroken);
    }).then(decodeUtf8);
  }
}

function joined(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** A listener for `node:http` and `node:https` servers. */
export function nodeListener(
  handler: V2Handler,
  maxBodySize: number,
): (message: IncomingMessage, response: ServerResponse) => void {
  return (message, response) => {
    if (message.httpVersion === "1.1" && message.headers.host === undefined) {
      refuseWithoutHost(response);
      return;
    }
    const request = new NodeRequest(message, response, maxBodySize);
    handler(request)
      .catch(() => plainError(500, "Internal Server Error"))
      .then((reply) => send(reply, response, request))
      .catch(() => response.destroy());
  };
}

async function send(
  { status, headers, body }: ServerReply,
  response: ServerResponse,
  { overflowed }: NodeRequest,
): Promise<void> {
  const { method, httpVersion } = response.req;
  // etcd does not announce what the version of HTTP does by default.
  if (response.shouldKeepAlive === (httpVersion === "1.1")) response.removeHeader("Connection");
  if (typeof body !== "string") {
    response.writeHead(status, [...headers]).flushHeaders();
    await sendPieces(body, response);
    response.end();
    return;
  }
  const length = Buffer.byteLength(body);
  const isSaid = length <= SMALL_BODY && (length > 0 || method !== "HEAD");
  const said: (string | number)[] = [...headers];
  if (isSaid) said.push("Content-Length", length);
  if (overflowed) said.push("Connection", "close");
  response.writeHead(status, said);
  if (!overflowed) {
    response.end(body);
    return;
  }
  response.write(body);
  await endOf(response.req);
  response.end();
}

/** To close the connection at once could destroy the answer on its way to who still sends. */
function endOf(message: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LINGER);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (message.complete) done();
    else message.once("end", done).once("close", done);
  });
}

/** Until there are no more; those of a watch also end when the client leaves or the server does. */
async function sendPieces(body: AsyncIterable<string>, response: ServerResponse): Promise<void> {
  try {
    for await (const piece of body) {
      if (!response.write(piece)) await drained(response);
      if (response.destroyed) return;
    }
  } catch (error) {
    if (!(error instanceof AbortError)) throw error;
  }
}

/** As Go's HTTP library does, whose answer has no date either. */
function refuseWithoutHost(response: ServerResponse): void {
  const reason = "Bad Request: missing required Host header";
  const body = `400 ${reason}`;
  const headers = { "Content-Type": TEXT_TYPE, Connection: "close", "Content-Length": body.length };
  response.sendDate = false;
  response.writeHead(400, reason, headers).end(body);
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}
