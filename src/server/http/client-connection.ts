import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { HeldBytes, MemoryBudget } from "./memory-budget.js";
import { announcesBody } from "./message.js";
import { pauseSocket } from "./pause-socket.js";

/** Bytes of pipelined requests that may wait for their answers, before no more are read. */
const MAX_WAITING_BYTES = 256 * 1024;

/** One read may bring more. A connection with so many waiting requests is ended. */
const TOO_MANY_WAITING = 10_000;

/**
 * Milliseconds after which a connection that is not read is ended: nobody would notice that the client
 * has left.
 */
const MAX_PAUSE_MS = 300_000;

/** Bytes that a request needs besides its texts. */
const REQUEST_BYTES = 4 * 1024;

/** One connection, and the requests on it that are not answered yet. */
export class ClientConnection {
  readonly #socket: Socket;
  readonly #requests: HeldBytes;
  readonly #headers: HeldBytes;
  readonly #isClosing: () => boolean;
  #last: ServerResponse | undefined;
  #waiting = 0;
  #bytes = 0;
  #pauseTimer: NodeJS.Timeout | undefined;
  /** Bytes that were read before the headers of the next request. */
  #readBefore = 0;
  /** Whether a body is arriving rather than headers. */
  #hasBody = false;

  /** `isClosing` tells whether the server stops: then no more than one answer is sent. */
  constructor(socket: Socket, budget: MemoryBudget, isClosing: () => boolean) {
    this.#socket = socket;
    this.#requests = budget.hold(() => socket.destroy());
    this.#headers = budget.hold(() => socket.destroy());
    this.#isClosing = isClosing;
  }

  /** Whether everything is answered. */
  get isIdle(): boolean {
    return this.#last === undefined;
  }

  /** The request that came last of those that are not answered yet. */
  get pending(): IncomingMessage | undefined {
    return this.#last?.req;
  }

  /**
   * Serves requests one after the other, as etcd does, whatever was pipelined: the answers to a burst
   * of requests are not all held in memory, and writes keep their order.
   */
  inTurn(response: ServerResponse, serve: () => void): void {
    const before = this.#last;
    const { req } = response;
    const bytes = bytesOf(req);
    this.#last = response;
    this.#countHeaders();
    if (announcesBody(req)) {
      this.#hasBody = true;
      req.once("end", () => {
        this.#hasBody = false;
        this.#countHeaders();
        if (this.#isFull) this.#pause();
      });
    }
    this.#change(1, bytes);
    response.once("close", () => {
      if (this.#isClosing()) this.#socket.destroySoon();
      this.#change(-1, -bytes);
    });
    if (this.#waiting > TOO_MANY_WAITING) this.#socket.destroy();
    if (before === undefined) serve();
    else before.once("close", () => this.#socket.destroyed || this.#isClosing() || serve());
  }

  /** Calls back when everything is answered. */
  afterAnswers(callback: () => void): void {
    if (this.#last === undefined) callback();
    else this.#last.once("close", () => this.afterAnswers(callback));
  }

  /** Counts the headers of a request that is still arriving: node:http tells nothing of them. */
  checkHeaders(): void {
    const { bytesRead } = this.#socket;
    this.#headers.set(this.#hasBody ? 0 : bytesRead - this.#readBefore);
  }

  /** Nothing is held any more. */
  release(): void {
    this.#clearTimer();
    this.#requests.release();
    this.#headers.release();
  }

  /** From here on, give or take what came with the request before. */
  #countHeaders(): void {
    this.#readBefore = this.#socket.bytesRead;
    this.#headers.set(0);
  }

  #change(count: number, bytes: number): void {
    this.#waiting += count;
    this.#bytes += bytes;
    if (this.#waiting === 0) this.#last = undefined;
    if (this.#socket.destroyed) return;
    this.#requests.set(this.#bytes);
    if (this.#isFull) this.#pause();
    else if (this.#pauseTimer !== undefined) this.#resume();
  }

  get #isFull(): boolean {
    return this.#waiting > 1 && this.#bytes > MAX_WAITING_BYTES;
  }

  #pause(): void {
    this.#pauseTimer ??= setTimeout(() => this.#socket.destroy(), MAX_PAUSE_MS).unref();
    pauseSocket(this.#socket, () => this.#isFull);
  }

  #clearTimer(): void {
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = undefined;
  }

  #resume(): void {
    this.#clearTimer();
    this.#socket.resume();
  }
}

function bytesOf({ url = "", rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, REQUEST_BYTES + url.length);
}
