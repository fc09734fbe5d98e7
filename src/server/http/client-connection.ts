import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "../../time/event-loop.js";
import type { MemoryBudget, MemoryReservation } from "./memory-budget.js";
import { announcesBody } from "./message.js";
import { pauseSocket } from "./pause-socket.js";
import type { SocketResponse } from "./socket-response.js";

/** Maximum bytes of waiting pipelined requests. At this limit, reading is paused. */
const MAX_WAITING_BYTES = 256 * 1024;

/** A connection with more waiting requests is closed. One read can bring many before it is paused. */
const MAX_WAITING_REQUESTS = 10_000;

/**
 * Time after which a connection with paused reading is closed, because a paused connection does not
 * detect that the client has disconnected.
 */
const MAX_READ_PAUSE_MS = 300_000;

/** Memory that a request needs in addition to its texts. */
const REQUEST_BYTES = 4 * 1024;

/** One connection, and its pending requests. */
export class ClientConnection {
  readonly #socket: Socket;
  readonly #requests: MemoryReservation;
  readonly #headers: MemoryReservation;
  readonly #isClosing: () => boolean;
  #last: ServerResponse | SocketResponse | undefined;
  #waiting = 0;
  #bytes = 0;
  #pauseTimer: NodeJS.Timeout | undefined;
  /** Value of `bytesRead` at the start of the next request's headers. */
  #readBefore = 0;
  /** Whether a body is arriving, not headers. */
  #hasBody = false;

  /** @param isClosing whether the server stops; then only the current response is sent */
  constructor(socket: Socket, budget: MemoryBudget, isClosing: () => boolean) {
    this.#socket = socket;
    this.#requests = budget.reserve(() => socket.destroy());
    this.#headers = budget.reserve(() => socket.destroy());
    this.#isClosing = isClosing;
  }

  /** Whether no request is pending. */
  get isIdle(): boolean {
    return this.#last === undefined;
  }

  /** The newest pending request of `node:http`. */
  get pending(): IncomingMessage | undefined {
    const req = this.#last?.req;
    return req !== undefined && "complete" in req ? req : undefined;
  }

  /** Begins a request that has arrived completely, while no other one is pending. */
  begin(response: SocketResponse, bytes: number): void {
    this.#last = response;
    this.#resetHeaders();
    this.#count(response, REQUEST_BYTES + bytes);
  }

  /**
   * Serves pipelined requests one after the other, as etcd does: so the responses to a burst are not all
   * in memory at the same time, and writes keep their order.
   */
  serveInOrder(response: ServerResponse, serve: () => void): void {
    const before = this.#last;
    const { req } = response;
    const bytes = bytesOf(req);
    this.#last = response;
    this.#resetHeaders();
    if (announcesBody(req)) {
      this.#hasBody = true;
      req.once("end", () => {
        this.#hasBody = false;
        this.#resetHeaders();
        if (this.#isFull) this.#pause();
      });
    }
    this.#count(response, bytes);
    if (this.#waiting > MAX_WAITING_REQUESTS) this.#socket.destroy();
    if (before === undefined) serve();
    else before.once("close", () => this.#socket.destroyed || this.#isClosing() || serve());
  }

  /** Calls back when no request is pending. */
  afterResponses(callback: () => void): void {
    if (this.#last === undefined) callback();
    else this.#last.once("close", () => this.afterResponses(callback));
  }

  /** Counts the bytes of headers that are still arriving, because node:http does not report them. */
  checkHeaders(): void {
    const { bytesRead } = this.#socket;
    this.#headers.set(this.#hasBody ? 0 : bytesRead - this.#readBefore);
  }

  /** Releases the memory that is counted for the connection. */
  release(): void {
    this.#clearTimer();
    this.#requests.release();
    this.#headers.release();
  }

  /** Starts to count headers here; bytes read together with the previous request are not counted. */
  #resetHeaders(): void {
    this.#readBefore = this.#socket.bytesRead;
    this.#headers.set(0);
  }

  /** Counts a request until the end of its response. */
  #count(response: ServerResponse | SocketResponse, bytes: number): void {
    this.#updateCounts(1, bytes);
    response.once("close", () => {
      this.#updateCounts(-1, -bytes);
      // If the client has half-closed the connection before the head of the response was written,
      // node:http leaves the connection open.
      const isDone = this.isIdle && this.#socket.readableEnded;
      if (isDone || this.#isClosing()) this.#socket.destroySoon();
    });
  }

  #updateCounts(count: number, bytes: number): void {
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
    this.#pauseTimer ??= setTimeout(() => this.#socket.destroy(), MAX_READ_PAUSE_MS).unref();
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
