import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests that may wait on one connection behind the one that is being answered. */
const MAX_WAITING = 100;

/** More than that, though no more were read for a while, and the connection is ended. */
const TOO_MANY_WAITING = 10_000;

interface Turn {
  readonly last: ServerResponse;
  readonly count: number;
}

/** The open connections of a server, and what is still to be answered on them. */
export class Connections {
  readonly #server: Server;
  /** Those by which requests come; with TLS, after the handshake. */
  readonly #open = new Set<Socket>();
  /** The same without TLS; else what the TLS is spoken over. */
  readonly #raw = new Set<Socket>();
  readonly #turns = new WeakMap<Socket, Turn>();
  #closing = false;

  constructor(server: Server, tls: boolean) {
    this.#server = server;
    server.on("connection", (socket: Socket) => hold(this.#raw, socket));
    server.on(tls ? "secureConnection" : "connection", (socket: Socket) =>
      hold(this.#open, socket),
    );
  }

  /** Whether requests can come, or could, by this connection. */
  has(socket: Socket): boolean {
    return this.#open.has(socket);
  }

  /** The request that came last of those that are not answered yet. */
  pending(socket: Socket): IncomingMessage | undefined {
    return this.#turns.get(socket)?.last.req;
  }

  /**
   * Serves requests of one connection one after the other, as etcd does, whatever was pipelined:
   * the answers to a burst of requests are not all held in memory, and writes keep their order.
   */
  inTurn(response: ServerResponse, serve: () => void): void {
    const { socket } = response.req;
    const before = this.#turns.get(socket);
    const count = (before?.count ?? 0) + 1;
    this.#turns.set(socket, { last: response, count });
    response.once("close", () => this.#answered(socket));
    if (count > TOO_MANY_WAITING) socket.destroy();
    else if (count > MAX_WAITING) socket.pause();
    if (before === undefined) serve();
    else before.last.once("close", () => socket.destroyed || this.#closing || serve());
  }

  /** Calls back when everything on a connection is answered. */
  afterAnswers(socket: Socket, callback: () => void): void {
    const turn = this.#turns.get(socket);
    if (turn === undefined) callback();
    else turn.last.once("close", () => this.afterAnswers(socket, callback));
  }

  /**
   * Takes no more, and ends all connections: busy ones with the answer that is under way, or after
   * `grace` ms.
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
      for (const socket of this.#open) if (!this.#turns.has(socket)) socket.destroySoon();
    });
  }

  #answered(socket: Socket): void {
    if (this.#closing) socket.destroySoon();
    const turn = this.#turns.get(socket);
    if (turn === undefined || turn.count === 1) this.#turns.delete(socket);
    else this.#turns.set(socket, { ...turn, count: turn.count - 1 });
    if (turn?.count === MAX_WAITING) socket.resume();
  }
}

function hold(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
}
