import { connect, type Socket } from "node:net";
import type { RawRequest } from "./request.js";

/** What came back; of an open watch, as far as it came. */
export class Reply {
  /** 0 when the connection ended without an answer. */
  status = 0;
  readonly headers = new Map<string, string>();
  body = "";
  ended = false;

  /** The whole lines of the body: of a watch, its events. */
  get lines(): readonly string[] {
    return this.body.split("\n").slice(0, -1);
  }

  /** Tells the server that nobody listens any more. */
  cancel: () => void = () => {};
}

interface Exchange {
  readonly isHead: boolean;
  readonly reply: Reply;
  readonly onHead: (reply: Reply) => void;
  readonly onEnd: (reply: Reply) => void;
}

const HEAD = /^HTTP\/1\.[01] (\d+)[^\r]*\r\n((?:[^\r]+\r\n)*)\r\n/;
const CHUNK_SIZE = /^([\da-f]+)\r\n/i;

/** A connection that carries requests without waiting for the answers to earlier ones. */
export class HttpPipe {
  readonly #socket: Socket;
  readonly #exchanges: Exchange[] = [];
  #received = "";
  #inBody = false;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => {
      this.#received += text;
      while (this.#advance());
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      for (const exchange of this.#exchanges.splice(0)) finish(exchange);
    });
  }

  get usable(): boolean {
    return !this.#socket.destroyed && this.#exchanges.length === 0;
  }

  /** Sends, and resolves with the whole answer. */
  call(request: RawRequest): Promise<Reply> {
    return new Promise((resolve) => this.#send(request, () => {}, resolve));
  }

  /** Sends, and resolves when the head of the answer has come. */
  open(request: RawRequest): Promise<Reply> {
    return new Promise((resolve) => this.#send(request, resolve, resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(request: RawRequest, onHead: Exchange["onHead"], onEnd: Exchange["onEnd"]): void {
    const reply = new Reply();
    reply.cancel = () => this.close();
    const exchange = { isHead: request.method === "HEAD", reply, onHead, onEnd };
    if (this.#socket.writable) {
      this.#exchanges.push(exchange);
      this.#socket.write(encode(request), "latin1");
    } else finish(exchange);
  }

  /** Takes the next piece of what was received; whether there was one. */
  #advance(): boolean {
    const exchange = this.#exchanges[0];
    if (exchange === undefined) return false;
    return this.#inBody ? this.#takeBody(exchange) : this.#takeHead(exchange);
  }

  #takeHead(exchange: Exchange): boolean {
    const { reply } = exchange;
    const head = HEAD.exec(this.#received);
    if (head === null) return false;
    this.#received = this.#received.slice(head[0].length);
    reply.status = Number(head[1]);
    for (const line of (head[2] ?? "").split("\r\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) reply.headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 2));
    }
    exchange.onHead(reply);
    const empty = exchange.isHead || reply.headers.get("content-length") === "0";
    if (empty) this.#end(exchange);
    else this.#inBody = true;
    return true;
  }

  #takeBody(exchange: Exchange): boolean {
    const { reply } = exchange;
    if (reply.headers.get("transfer-encoding") === "chunked") return this.#takeChunk(exchange);
    const length = Number(reply.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
    if (this.#received.length < length) {
      if (length === Number.POSITIVE_INFINITY) reply.body += this.#take(this.#received.length);
      return false;
    }
    reply.body = decode(this.#take(length));
    this.#end(exchange);
    return true;
  }

  #takeChunk(exchange: Exchange): boolean {
    const size = CHUNK_SIZE.exec(this.#received);
    if (size === null) return false;
    const length = Number.parseInt(size[1] ?? "", 16);
    if (this.#received.length < size[0].length + length + 2) return false;
    exchange.reply.body += decode(
      this.#take(size[0].length + length + 2).slice(size[0].length, -2),
    );
    if (length === 0) this.#end(exchange);
    return true;
  }

  #take(length: number): string {
    const text = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    return text;
  }

  #end(exchange: Exchange): void {
    this.#inBody = false;
    this.#exchanges.shift();
    finish(exchange);
  }
}

function finish({ reply, onEnd }: Exchange): void {
  reply.ended = true;
  onEnd(reply);
}

function decode(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}

function encode({ method, target, type, body }: RawRequest): string {
  const lines = [`${method} ${target} HTTP/1.1`, "Host: fuzz"];
  if (type !== undefined) lines.push(`Content-Type: ${type}`);
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`);
  return `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
}
