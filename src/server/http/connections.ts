import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "../../time/event-loop.js";
import { ClientConnection } from "./client-connection.js";
import type { MemoryBudget } from "./memory-budget.js";

/** Interval between two checks of headers that are arriving. */
const HEADERS_CHECK_MS = 100;

/** Maximum number of connections per check. A check of all of them could take too long. */
const MAX_CHECKED_AT_ONCE = 1_000;

/** Number of connections from which headers could fill the memory. */
const MIN_CONNECTIONS_TO_CHECK = 20;

/** The open connections of a server. */
export class Connections {
  readonly #server: Server;
  readonly #budget: MemoryBudget;
  /** The sockets that carry requests; with TLS, after the handshake. */
  readonly #open = new Map<Socket, ClientConnection>();
  /** The TCP sockets: without TLS the same sockets. */
  readonly #raw = new Set<Socket>();
  #headersCheck: NodeJS.Timeout | undefined;
  #unchecked: Iterator<ClientConnection> = [].values();
  #closing = false;
  #isUnref = false;

  constructor(server: Server, tls: boolean, budget: MemoryBudget) {
    this.#server = server;
    this.#budget = budget;
    server.on("connection", (socket: Socket) => {
      this.#raw.add(socket);
      if (this.#isUnref) socket.unref();
      socket.once("close", () => this.#raw.delete(socket));
    });
    server.on(tls ? "secureConnection" : "connection", (socket: Socket) => this.#hold(socket));
  }

  /** The connection of a socket, while it is open. */
  of(socket: Socket): ClientConnection | undefined {
    return this.#open.get(socket);
  }

  /** Serves a request after the earlier ones on the same connection. */
  serveInOrder(response: ServerResponse, serve: () => void): void {
    this.#open.get(response.req.socket)?.serveInOrder(response, serve);
  }

  /**
   * Accepts no more connections, and closes all: idle ones at once, busy ones after their current
   * response or after `grace` ms.
   */
  close(grace: number): Promise<void> {
    this.#closing = true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        for (const socket of this.#raw) socket.destroy();
      }, grace);
      this.#server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      for (const [socket, { isIdle }] of this.#open) if (isIdle) socket.destroySoon();
    });
  }

  /** From now on, neither the server nor its connections keep the process alive. */
  unref(): void {
    this.#isUnref = true;
    this.#server.unref();
    for (const socket of this.#raw) socket.unref();
  }

  #hold(socket: Socket): void {
    const connection = new ClientConnection(socket, this.#budget, () => this.#closing);
    this.#open.set(socket, connection);
    this.#scheduleCheck();
    socket.once("close", () => {
      this.#open.delete(socket);
      connection.release();
    });
  }

  #scheduleCheck(): void {
    if (this.#headersCheck !== undefined || this.#open.size < MIN_CONNECTIONS_TO_CHECK) return;
    const check = (): void => {
      this.#headersCheck = undefined;
      this.#checkHeaders();
      this.#scheduleCheck();
    };
    this.#headersCheck = setTimeout(check, HEADERS_CHECK_MS).unref();
  }

  #checkHeaders(): void {
    for (let count = Math.min(this.#open.size, MAX_CHECKED_AT_ONCE); count > 0; count--) {
      let next = this.#unchecked.next();
      if (next.done) {
        this.#unchecked = this.#open.values();
        next = this.#unchecked.next();
      }
      if (!next.done) next.value.checkHeaders();
    }
  }
}
