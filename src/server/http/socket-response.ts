import { EventEmitter } from "node:events";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { nextTick, wallNow } from "../../time/event-loop.js";
import type { ReplyTarget } from "./send-reply.js";

const INVALID_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const BEYOND_ASCII = /[\x80-\uffff]/;

/**
 * The response to a request that was read without `node:http`, with the same bytes as there. Writes of one tick leave together.
 * "close" is emitted once, when all bytes have been handed to the system, or the connection has been closed before.
 */
export class SocketResponse extends EventEmitter implements ReplyTarget {
  /** What responses depend on: such requests are no other ones. */
  readonly req: { readonly socket: Socket; readonly method: string; readonly httpVersion: "1.1" };
  readonly shouldKeepAlive = true;
  statusCode = 200;
  /** Text that has not been written yet. */
  #text = "";
  #isFlushScheduled = false;
  #isChunked = false;
  #isLast = false;
  #isFinished = false;
  #isClosed = false;

  constructor(socket: Socket, method: string) {
    super();
    this.req = { socket, method, httpVersion: "1.1" };
  }

  get socket(): Socket {
    return this.req.socket;
  }

  get destroyed(): boolean {
    return this.socket.destroyed;
  }

  /** Whether all bytes have been handed to the system. */
  get writableFinished(): boolean {
    return this.#isFinished;
  }

  /** The default of HTTP/1.1 is not written, so there is nothing to remove. */
  removeHeader(): void {}

  /** @throws TypeError for a header that would end in another line */
  writeHead(status: number, headers: readonly string[]): void {
    this.statusCode = status;
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
    let hasLength = false;
    for (let at = 0; at < headers.length; at += 2) {
      const name = headers[at] ?? "";
      const value = headers[at + 1] ?? "";
      if (INVALID_VALUE.test(value)) throw new TypeError(`invalid value of the header ${name}`);
      if (name === "Content-Length") hasLength = true;
      else if (name === "Connection") this.#isLast = true;
      head += `${name}: ${value}\r\n`;
    }
    this.#isChunked = !hasLength;
    const framing = hasLength ? "" : "Transfer-Encoding: chunked\r\n";
    this.#text = `${head}Date: ${httpDate()}\r\n${framing}\r\n`;
  }

  flushHeaders(): void {
    this.#flush();
  }

  /** Returns `false` if the caller should wait for "drain". */
  write(piece: string | Uint8Array): boolean {
    if (piece.length === 0) return true;
    if (typeof piece !== "string") {
      if (this.#isChunked) this.#text += `${piece.length.toString(16)}\r\n`;
      this.#flush();
      this.socket.write(piece);
      if (this.#isChunked) this.#append("\r\n");
    } else {
      this.#append(this.#framed(piece));
    }
    return !this.socket.writableNeedDrain;
  }

  end(piece = ""): void {
    if (piece !== "") this.#text += this.#framed(piece);
    if (this.#isChunked) this.#text += "0\r\n\r\n";
    this.#flush();
    const { socket } = this;
    if (socket.writableLength === 0) this.#finish();
    // After all that was written before.
    else socket.write("", () => this.#finish());
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** To be called when the connection was closed. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.emit("close");
  }

  #finish(): void {
    if (this.socket.destroyed || this.#isClosed) return;
    this.#isFinished = true;
    if (this.#isLast) this.socket.destroySoon();
    this.closed();
  }

  #framed(piece: string): string {
    if (!this.#isChunked) return piece;
    return `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`;
  }

  #append(text: string): void {
    this.#text += text;
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    nextTick(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  /** A head has one byte for each character, and a body is UTF-8; they are the same where all is ASCII. */
  #flush(): void {
    const text = this.#text;
    if (text === "") return;
    this.#text = "";
    this.socket.write(text, BEYOND_ASCII.test(text) ? "utf8" : "latin1");
  }
}

let dateAt = 0;
let dateText = "";

/** Formatted once for each second. */
function httpDate(): string {
  const second = Math.floor(wallNow() / 1000);
  if (second !== dateAt) {
    dateAt = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
