import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { buildConnector } from "undici";
import type { Exchange } from "./exchange.js";
import { StreamConnection } from "./stream-connection.js";

/**
 * Watches at one endpoint over TLS, as streams of a few HTTP/2 connections: with a connection each,
 * many of them would cost several times the memory, and a handshake each.
 */
export class StreamPool {
  readonly #origin: URL;
  readonly #connect: buildConnector.connector;
  readonly #timeout: number;
  readonly #connections = new Set<StreamConnection>();
  #opening: Promise<boolean> | undefined;
  #socket: Socket | undefined;
  #destroyed = false;

  /**
   * @param connect offers HTTP/2
   * @param timeout milliseconds for what connects and what checks a connection
   */
  constructor(origin: string, connect: buildConnector.connector, timeout: number) {
    this.#timeout = timeout;
    this.#origin = new URL(origin);
    this.#connect = connect;
  }

  /** Runs a watch. @returns false when the endpoint speaks no HTTP/2: then it was not run */
  async run(exchange: Exchange, headers: string[]): Promise<boolean> {
    try {
      while (!exchange.settled && !this.#start(exchange, headers)) {
        this.#opening ??= this.#open();
        if (!(await this.#opening)) return false;
      }
    } catch (error) {
      exchange.fail(error as Error);
    }
    return true;
  }

  /** Closes every connection at once. */
  destroy(): void {
    this.#destroyed = true;
    this.#socket?.destroy();
    for (const connection of this.#connections) connection.destroy();
  }

  #start(exchange: Exchange, headers: string[]): boolean {
    for (const connection of this.#connections) {
      if (connection.start(exchange, headers)) return true;
    }
    return false;
  }

  /** Opens one more connection, if that is one of HTTP/2. */
  async #open(): Promise<boolean> {
    try {
      const socket = await this.#openSocket();
      if (this.#destroyed || socket.alpnProtocol !== "h2") {
        socket.destroy();
        return this.#destroyed;
      }
      const connection = new StreamConnection(this.#origin, socket, this.#timeout, () =>
        this.#connections.delete(connection),
      );
      this.#connections.add(connection);
      await connection.ready;
      return true;
    } finally {
      this.#opening = undefined;
    }
  }

  #openSocket(): Promise<TLSSocket> {
    const { protocol, hostname, host, port } = this.#origin;
    const address = hostname.replace(/^\[|\]$/g, "");
    return new Promise((resolve, reject) => {
      // The connector returns the socket, though its type does not say so.
      this.#socket = this.#connect({ protocol, hostname: address, host, port }, (error, socket) => {
        if (error === null) resolve(socket as TLSSocket);
        else reject(error);
      }) as unknown as Socket;
    });
  }
}
