import type { Socket } from "node:net";
import { decodeUtf8 } from "../../wire/decode-path.js";
import { disconnection } from "./disconnection.js";
import { BodyError, type ServerRequest } from "./message.js";
import type { ParsedRequest } from "./request-parser.js";
import { serverUrl } from "./server-url.js";
import type { SocketResponse } from "./socket-response.js";

/** A request that was read without `node:http`, for the routes. Its body has arrived. */
export class SocketRequest implements ServerRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: ServerRequest["headers"];
  readonly connection: Socket;
  readonly #body: string;
  readonly #response: SocketResponse;
  #gone: AbortSignal | undefined;

  constructor({ method, target, headers, body }: ParsedRequest, response: SocketResponse) {
    this.method = method;
    this.target = target;
    this.headers = headers.values;
    this.connection = response.socket;
    this.#body = body;
    this.#response = response;
  }

  get remoteAddress(): string | undefined {
    return this.connection.remoteAddress;
  }

  get serverUrl(): string | undefined {
    const { localAddress, localPort } = this.connection;
    return serverUrl(this.headers.host, { tls: false, localAddress, localPort });
  }

  /** Created on first use: only watches need it. */
  get signal(): AbortSignal {
    this.#gone ??= disconnection(this.connection, this.#response);
    return this.#gone;
  }

  async body(maxSize = Number.POSITIVE_INFINITY): Promise<string> {
    const body = this.#body;
    if (body.length > maxSize) throw new BodyError("http: POST too large");
    return BEYOND_ASCII.test(body) ? decodeUtf8(Buffer.from(body, "latin1")) : body;
  }
}

const BEYOND_ASCII = /[\x80-\xff]/;
