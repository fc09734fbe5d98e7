import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { clearTimeout, setTimeout } from "../../time/event-loop.js";
import { disconnection } from "./disconnection.js";
import type { MemoryBudget } from "./memory-budget.js";
import type { V2Handler } from "./message.js";
import { announcesBody, type ServerReply, type ServerRequest, TEXT_TYPE } from "./message.js";
import { RequestBody } from "./request-body.js";
import { sendReply } from "./send-reply.js";
import { serveWith } from "./serve-with.js";
import { serverUrl } from "./server-url.js";

/** Time that a client has to stop sending a body that was refused. */
const REFUSED_BODY_TIMEOUT_MS = 500;

/** Adapts a request of `node:http` for the routes. It reads its body from the start. */
export class NodeRequest implements ServerRequest {
  readonly response: ServerResponse;
  readonly budget: MemoryBudget;
  readonly #message: IncomingMessage;
  readonly #maxBodySize: number;
  readonly #body: RequestBody | undefined;
  #gone: AbortSignal | undefined;

  constructor(response: ServerResponse, budget: MemoryBudget, maxBodySize: number) {
    this.response = response;
    this.budget = budget;
    this.#message = response.req;
    this.#maxBodySize = maxBodySize;
    if (!announcesBody(this)) return;
    const body = new RequestBody(response.req, budget);
    this.#body = body;
    // No route reads the body of another method.
    if (this.method !== "PUT" && this.method !== "POST") body.discard();
    response.once("close", () => body.discard());
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

  get connection(): object {
    return this.#message.socket;
  }

  get remoteAddress(): string | undefined {
    return this.#message.socket.remoteAddress;
  }

  get serverUrl(): string | undefined {
    const { headers, socket } = this.#message;
    const { localAddress, localPort } = socket;
    const tls = "encrypted" in socket;
    return serverUrl(headers.host, { tls, localAddress, localPort });
  }

  /** Created on first use: only watches need it. */
  get signal(): AbortSignal {
    this.#gone ??= disconnection(this.#message.socket, this.response);
    return this.#gone;
  }

  /** Whether the body was refused while the client may still be sending it. */
  get isBodyRefused(): boolean {
    return this.#body?.isRefused ?? false;
  }

  async body(maxSize = Number.POSITIVE_INFINITY): Promise<string> {
    return this.#body?.read(Math.min(maxSize, this.#maxBodySize)) ?? "";
  }
}

/** Serves a request of `node:http` or `node:https`. */
export function serveNode(handler: V2Handler, request: NodeRequest): void {
  const { response } = request;
  const { httpVersion, headers } = response.req;
  if (httpVersion === "1.1" && headers.host === undefined) {
    refuseWithoutHost(response);
    return;
  }
  serveWith(handler, request, response, request.budget, (reply) => send(reply, request));
}

/** Sends a response, also to a request whose body was refused while it was arriving. */
function send(reply: ServerReply, request: NodeRequest): Promise<void> | undefined {
  const { response } = request;
  return request.isBodyRefused
    ? refuseBody(reply, response)
    : sendReply(reply, response, request.budget);
}

async function refuseBody(reply: ServerReply, response: ServerResponse): Promise<void> {
  const body = typeof reply.body === "string" ? reply.body : "";
  const length = String(Buffer.byteLength(body));
  response.writeHead(reply.status, [
    ...reply.headers,
    ...["Content-Length", length, "Connection", "close"],
  ]);
  response.write(body);
  await endOf(response.req);
  response.end();
}

/** Closing the connection at once could lose the response while the client still sends. */
function endOf(message: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, REFUSED_BODY_TIMEOUT_MS);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (message.complete) done();
    else message.once("end", done).once("close", done);
  });
}

/** Responds as Go's HTTP library does. That response has no `Date` header either. */
function refuseWithoutHost(response: ServerResponse): void {
  const reason = "Bad Request: missing required Host header";
  const body = `400 ${reason}`;
  const headers = { "Content-Type": TEXT_TYPE, Connection: "close", "Content-Length": body.length };
  response.sendDate = false;
  response.writeHead(400, reason, headers).end(body);
}
